package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
)

const connectionCheck = "connection"

const renewBefore = 30 * 24 * time.Hour

// connection reaches the server, looks at its certificate and asks what it is.
func (e *examination) connection(ctx context.Context) bool {
	stranger := e.Connection
	stranger.BindDN, stranger.Password = "", ""
	conn, err := directory.Dial(ctx, stranger)
	if err != nil {
		problem, fix := whyUnreached(err, e.Connection)
		e.report.fail(connectionCheck, problem, fix)
		return false
	}
	defer conn.Close()
	if state, secured := conn.Secured(); secured {
		e.certificate(state)
	} else {
		e.report.note(connectionCheck, "without TLS, over this machine's own loopback or socket")
	}
	root, err := conn.Read(ctx, "", "vendorName", "vendorVersion", "dnsHostName", "domainControllerFunctionality")
	if err != nil && !directory.Refused(err) {
		e.report.fail(connectionCheck, "the server takes connections and does not answer: "+err.Error(), "see whether the server is overloaded or hangs")
		return false
	}
	if server, err := conn.Server(ctx); err == nil {
		e.report.note("server", serverText(server, root))
	}
	return true
}

func serverText(s directory.Server, root directory.Entry) string {
	names := map[directory.Kind]string{directory.OpenLDAP: "OpenLDAP, or one that is taken for it", directory.DS389: "389 Directory Server", directory.ActiveDirectory: "Active Directory"}
	text := names[s.Kind]
	if version := strings.TrimSpace(root.Value("vendorName") + " " + root.Value("vendorVersion")); version != "" {
		text += " (" + oneLine(version) + ")"
	}
	if host := root.Value("dnsHostName"); host != "" {
		text += " on " + host
	}
	var can []string
	for _, f := range []struct {
		has  bool
		name string
	}{{s.PasswordModify, "password modify"}, {s.Assertion, "assertion"}, {s.Increment && s.PreRead, "increment"}, {s.PasswordPolicy, "password policy"}, {s.Paging, "paging"}} {
		if f.has {
			can = append(can, f.name)
		}
	}
	if len(can) > 0 {
		text += "; offers " + strings.Join(can, ", ")
	}
	return text
}

func (e *examination) certificate(state tls.ConnectionState) {
	if len(state.PeerCertificates) == 0 {
		return
	}
	ends := state.PeerCertificates[0].NotAfter
	for _, chain := range state.VerifiedChains {
		for _, c := range chain {
			if c.NotAfter.Before(ends) {
				ends = c.NotAfter
			}
		}
	}
	left := time.Until(ends)
	text := fmt.Sprintf("%s; the certificate is good until %s, %d days from now", tls.VersionName(state.Version), ends.UTC().Format(time.DateOnly), int(left.Hours()/24))
	soon := e.RenewBefore
	if soon <= 0 {
		soon = renewBefore
	}
	if left < soon {
		e.report.warn(connectionCheck, text, "renew it, or that of the authority which it comes from: when it ends, nobody registers or logs in")
		return
	}
	e.report.note(connectionCheck, text)
}

// readers looks whether the replicas that look-ups may ask can be asked.
func (e *examination) readers(ctx context.Context) error {
	const check = "readers"
	for _, url := range e.plan.Settings.Readers {
		s := e.Connection
		s.URL = url
		conn, err := directory.Dial(ctx, s)
		if err == nil {
			_, err = conn.Read(ctx, e.plan.Settings.People.Base, "objectClass")
			conn.Close()
		}
		switch {
		case err == nil:
			e.report.note(check, place(url)+" can be asked")
		case directory.Refused(err, directory.NoSuchObject):
			e.report.warn(check, fmt.Sprintf("%s has no %s, or the service account may not see it there", place(url), e.plan.Settings.People.Base), "replicate the tree and the rights, or take the server out of readers")
		case directory.Refused(err):
			e.report.warn(check, place(url)+" refuses the service account: "+answer(err), "let it log in there, or take the server out of readers")
		default:
			problem, _ := whyUnreached(err, s)
			e.report.warn(check, "a reader cannot be asked: "+problem, "mend that, or take the server out of readers")
		}
	}
	return nil
}

// whyUnreached words why no connection came about, and what to do.
func whyUnreached(err error, s directory.Settings) (problem, fix string) {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var noTLS tls.RecordHeaderError
	var name *net.DNSError
	var timeout net.Error
	where := place(s.URL)
	switch {
	case errors.As(err, &unknown):
		return fmt.Sprintf("the certificate of %s comes from an authority that is not trusted: %s", where, issuer(unknown.Cert)), trustFix(s)
	case errors.As(err, &host):
		return fmt.Sprintf("the certificate of %s is for another name: %s", where, namesOf(host.Certificate)), "write one of these names into NARTHEX_LDAP_URL, or give the server a certificate with the name that is there"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("the certificate of %s is good from %s to %s only", where, invalid.Cert.NotBefore.UTC().Format(time.DateOnly), invalid.Cert.NotAfter.UTC().Format(time.DateOnly)), "renew it; see whether this machine's clock is right"
	case errors.As(err, &invalid):
		return fmt.Sprintf("the certificate of %s is not valid: %s", where, invalid.Error()), "give the server a certificate for servers from an authority that may issue one"
	case errors.As(err, &noTLS):
		return where + " does not speak TLS there", "use its port for TLS (636), or ldap:// for StartTLS"
	case directory.Refused(err):
		return fmt.Sprintf("%s refuses StartTLS: %s", where, answer(err)), "give the server a certificate (olcTLSCertificateFile, nsslapd-security), or use ldaps://"
	case errors.As(err, &name):
		return fmt.Sprintf("there is no host %s: %s", name.Name, name.Err), "correct NARTHEX_LDAP_URL, or this machine's name service"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at " + where, "start the server, or correct host and port in NARTHEX_LDAP_URL"
	case errors.Is(err, os.ErrNotExist):
		return err.Error(), "correct the path in NARTHEX_LDAP_CA_FILE or NARTHEX_LDAP_URL"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return where + " does not answer in time", "see whether the server hangs, or a firewall swallows what is sent to it"
	case errors.Is(err, directory.ErrUnreachable):
		return fmt.Sprintf("%s cannot be reached: %v", where, err), "see whether the server runs and speaks LDAP at that port"
	default:
		return err.Error(), "correct NARTHEX_LDAP_URL and NARTHEX_LDAP_CA_FILE"
	}
}

// place is a URL's host and port: somebody may have put a password into the rest.
func place(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "the server"
	}
	return u.Host
}

func issuer(c *x509.Certificate) string {
	if c == nil {
		return "unknown"
	}
	return c.Issuer.String()
}

func trustFix(s directory.Settings) string {
	if s.CAFile == "" {
		return "set NARTHEX_LDAP_CA_FILE to the path of that authority's certificate (PEM)"
	}
	return "put that authority's certificate (PEM) into the file of NARTHEX_LDAP_CA_FILE; the system's authorities do not count beside it"
}

func namesOf(c *x509.Certificate) string {
	all := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "it has none (a common name does not count)"
	}
	return strings.Join(all, ", ")
}
