package config

import (
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/narthex/narthex/plugin"
)

// SMTPTLS says how the way to the mail server is protected.
type SMTPTLS string

// The ways. What NARTHEX_SMTP_URL calls them stands in judgeSMTP.
const (
	SMTPStartTLS      SMTPTLS = "starttls"      // STARTTLS or nothing is sent (RFC 3207)
	SMTPImplicit      SMTPTLS = "implicit"      // TLS from the first byte (RFC 8314, section 3.3)
	SMTPOpportunistic SMTPTLS = "opportunistic" // STARTTLS where it is offered, else in clear
	SMTPNone          SMTPTLS = "none"          // in clear
)

// SMTP is the mail server.
type SMTP struct {
	Host string
	Port int
	// Username is empty where the server wants no authentication.
	Username string
	Password plugin.Secret
	TLS      SMTPTLS
}

// state judges where the state is. Replicas share it only if all have the same secret, so none may make one of its own.
func (r *reader) state(v variables, s *Settings) {
	const name = "NARTHEX_STATE_DSN"
	switch {
	case v.StateDSN == "":
		s.StateFile = filepath.Join(s.DataDir, "state.db")
	case PostgreSQL(v.StateDSN):
		s.StateDSN = plugin.NewSecret(v.StateDSN)
		if u, err := url.Parse(v.StateDSN); err != nil || u.Hostname() == "" && u.Query().Get("host") == "" || strings.Trim(u.Path, "/") == "" {
			r.fault(name, "is not the URL of a database", "write it in full, like postgres://user:password@host:5432/database?sslmode=verify-full")
		}
		if v.Secret == "" && !r.faulty("NARTHEX_SECRET") {
			r.fault("NARTHEX_SECRET", "is missing, and the state is in PostgreSQL", "make a key with 'openssl rand -hex 32' and give the same one to every sidecar")
		}
	case strings.Contains(v.StateDSN, "://"):
		r.fault(name, "is neither a path nor a postgres:// URL", "name a SQLite file, or a PostgreSQL database like postgres://user:password@host/database")
	default:
		s.StateFile = v.StateDSN
	}
}

// PostgreSQL tells whether a data source name is the URL of a PostgreSQL database.
func PostgreSQL(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// faulty tells whether a setting, or the file that it stands in, was found wrong already.
func (r *reader) faulty(name string) bool {
	for _, f := range r.faults {
		if f.Path == name || f.Path == name+"_FILE" {
			return true
		}
	}
	return false
}

func (r *reader) mail(v variables, s *Settings) {
	if v.SMTPUrl != "" {
		s.SMTP = r.judgeSMTP(v.SMTPUrl)
	} else if s.PublicURL != nil && !Loopback(s.PublicURL.Hostname()) && !r.faulty("NARTHEX_SMTP_URL") {
		r.fault("NARTHEX_SMTP_URL", "is missing, and NARTHEX_PUBLIC_URL is not on a loopback address", "name the mail server, like smtp://user:password@mail.example.org:587; mails are kept as files on a loopback address only")
	}
	// A line break would begin another header of every mail.
	if _, err := mail.ParseAddress(v.MailFrom); v.MailFrom != "" && (err != nil || strings.ContainsFunc(v.MailFrom, unicode.IsControl)) {
		r.fault("NARTHEX_MAIL_FROM", "is not an address", "write one like accounts@example.org")
	}
}

// judgeSMTP reads the mail server's URL. Its faults never show the URL: there is a password in it.
func (r *reader) judgeSMTP(value string) *SMTP {
	const name = "NARTHEX_SMTP_URL"
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" || !portInRange(u) {
		r.fault(name, "is not the URL of a mail server", "write it like smtp://user:password@mail.example.org:587; percent-encode special characters of the password")
		return nil
	}
	s := &SMTP{Host: u.Hostname(), Username: u.User.Username()}
	password, _ := u.User.Password()
	s.Password = plugin.NewSecret(password)
	switch tls := u.Query().Get("tls"); {
	case u.Scheme == "smtps" && u.RawQuery == "":
		s.TLS, s.Port = SMTPImplicit, 465
	case u.Scheme == "smtp" && (u.RawQuery == "" || u.RawQuery == "tls=starttls"):
		s.TLS, s.Port = SMTPStartTLS, 587
	case u.Scheme == "smtp" && u.RawQuery == "tls="+tls && (tls == "opportunistic" || tls == "none"):
		s.TLS, s.Port = SMTPTLS(tls), 25
	default:
		r.fault(name, "says in no known way how the connection is protected", "begin with smtps://, or with smtp:// and STARTTLS is demanded; ?tls=opportunistic and ?tls=none after smtp:// ask for less")
		return nil
	}
	if u.Port() != "" {
		s.Port, _ = strconv.Atoi(u.Port()) // in range, see above
	}
	if s.Username == "" && password != "" {
		r.fault(name, "has a password and no user", "write user and password, like smtp://user:password@mail.example.org:587")
	}
	if s.Username != "" && !Loopback(s.Host) && (s.TLS == SMTPNone || s.TLS == SMTPOpportunistic) {
		r.fault(name, "would send a password in clear", "demand TLS, or remove user and password")
	}
	return s
}

func (r *reader) theme(dir string) {
	if dir == "" {
		return
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		r.fault("NARTHEX_THEME_DIR", "is not a folder that can be read", "name the folder with your templates, texts and style sheet, or remove it")
	}
}

// proxies reads the networks of trusted proxies. One that holds nearly everybody is refused: anyone could then choose
// the address that budgets and logs know them by.
func (r *reader) proxies(list string) (networks []netip.Prefix) {
	const name = "NARTHEX_TRUSTED_PROXIES"
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		network, err := parseNetwork(entry)
		switch {
		case err != nil:
			r.fault(name, "holds something that is no network", "list addresses and networks, like 10.0.0.0/8 or ::1, separated by commas")
		case network.Addr().Is4() && network.Bits() < 8, network.Addr().Is6() && network.Bits() < 16:
			r.fault(name, "trusts "+network.Masked().String()+", which is nearly everybody", "list the networks of your own proxies only: whoever is trusted can pretend to be any client")
		default:
			networks = append(networks, network.Masked())
		}
	}
	return networks
}

// parseNetwork reads a network or a single address. One that is written as IPv4 in IPv6 is an IPv4 network.
func parseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.WithZone("").Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	network, err := netip.ParsePrefix(s)
	const mapped = 96 // bits before the IPv4 address (RFC 4291, section 2.5.5.2)
	if err == nil && network.Addr().Is4In6() && network.Bits() >= mapped {
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-mapped)
	}
	return network, err
}
