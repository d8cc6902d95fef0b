package config

import (
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/plugin"
)

var (
	checksum     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// judge turns the texts into settings.
func (r *reader) judge(v variables) *Settings {
	s := &Settings{
		Listen: r.address("NARTHEX_LISTEN", v.Listen), AdminListen: r.address("NARTHEX_ADMIN_LISTEN", v.AdminListen),
		DataDir: v.DataDir, Flows: v.Flows, Secret: plugin.NewSecret(v.Secret), MailFrom: v.MailFrom, LoginURL: v.LoginURL,
		ThemeDir: v.ThemeDir, LogLevel: v.LogLevel, LogJSON: v.LogFormat == "json",
	}
	if s.DataDir == "" {
		r.fault("NARTHEX_DATA_DIR", "is empty", "name a folder, or leave the variable out")
	}
	if v.Secret != "" {
		if _, err := seal.NewKeyring(v.Secret); err != nil {
			r.fault("NARTHEX_SECRET", err.Error(), "every line is one key, the first is the current one")
		}
	}
	if s.Listen != "" && s.Listen == s.AdminListen && !strings.HasSuffix(s.Listen, ":0") {
		r.fault("NARTHEX_ADMIN_LISTEN", "is the address of the public listener", "choose another port; it must not be public")
	}
	s.PublicURL = r.publicURL(v.PublicURL, s.Listen)
	r.state(v, s)
	r.persister(v, s)
	r.mail(v, s)
	r.theme(v.ThemeDir)
	s.TrustedProxies = r.proxies(v.TrustedProxies)
	if v.LoginURL != "" {
		if u, err := url.Parse(v.LoginURL); err != nil || u.Hostname() == "" || u.User != nil || !safeScheme(u) {
			r.fault("NARTHEX_LOGIN_URL", "is not an https address", "write it in full, like https://login.example.org/; http is for loopback addresses only")
		}
	}
	r.oneOf("NARTHEX_LOG_LEVEL", v.LogLevel, "debug", "info", "warn", "error")
	r.oneOf("NARTHEX_LOG_FORMAT", v.LogFormat, "text", "json")
	return s
}

func (r *reader) oneOf(name, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		r.fault(name, "has a value that is not known", "choose one of "+strings.Join(allowed, ", "))
	}
}

// address checks "host:port".
func (r *reader) address(name, value string) string {
	_, port, err := net.SplitHostPort(value)
	if n, errPort := strconv.Atoi(port); err != nil || errPort != nil || n < 0 || n > 65535 {
		r.fault(name, "is not an address", `write host and port, like "127.0.0.1:8080"`)
		return ""
	}
	return value
}

// publicURL checks how people reach the public listener. Without one it is the listener itself, which only people on
// the same machine can reach.
func (r *reader) publicURL(value, listen string) *url.URL {
	const name = "NARTHEX_PUBLIC_URL"
	if value == "" {
		if host, _, err := net.SplitHostPort(listen); err == nil && !Loopback(host) {
			r.fault(name, "is missing, and NARTHEX_LISTEN is not a loopback address", "set it to how people reach this service, like https://join.example.org")
		}
		return nil
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || (u.Path != "" && u.Path != "/") || !portInRange(u):
		r.fault(name, "is not the address of a site", "write scheme and host only, like https://join.example.org")
		return nil
	case strings.ContainsFunc(u.Host, func(c rune) bool { return c > unicode.MaxASCII }):
		r.fault(name, "has a host that browsers write otherwise", "write the form that begins with xn--")
		return nil
	case !safeScheme(u):
		r.fault(name, "is not https", "use https; http is for loopback addresses only")
		return nil
	}
	return origin(u)
}

// origin writes a site's address as browsers do (RFC 6454, section 6.1), because it is compared with what they send.
func origin(u *url.URL) *url.URL {
	standardPort := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	host := strings.TrimSuffix(strings.ToLower(u.Host), standardPort)
	return &url.URL{Scheme: u.Scheme, Host: strings.TrimSuffix(host, ":")}
}

// safeScheme tells whether nobody on the way can read along.
func safeScheme(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && Loopback(u.Hostname())
}

func portInRange(u *url.URL) bool {
	n, err := strconv.Atoi(u.Port())
	return u.Port() == "" || err == nil && n > 0 && n < 65536
}

func (r *reader) persister(v variables, s *Settings) {
	s.Persister, s.PersisterSHA256 = v.Persister, strings.ToLower(v.PersisterSha256)
	switch {
	case s.BuiltinPersister():
		const problem, fix = "is for an external persister", "remove it, or set NARTHEX_PERSISTER to a binary's absolute path"
		if v.PersisterSha256 != "" {
			r.fault("NARTHEX_PERSISTER_SHA256", problem, fix)
		}
		if v.PersisterEnv != "" {
			r.fault("NARTHEX_PERSISTER_ENV", problem, fix)
		}
		r.directory(s.Persister == "ldap")
		return
	}
	if !filepath.IsAbs(s.Persister) || filepath.Clean(s.Persister) != s.Persister {
		r.fault("NARTHEX_PERSISTER", "is neither sql nor ldap nor an absolute path without detours", "write sql or ldap, or the whole path of a persister's binary")
	}
	if !checksum.MatchString(s.PersisterSHA256) {
		r.fault("NARTHEX_PERSISTER_SHA256", "is not the SHA-256 of the persister", "set it to the 64 hexadecimal digits that 'sha256sum' prints for NARTHEX_PERSISTER")
	}
	s.PersisterEnv = r.variableNames("NARTHEX_PERSISTER_ENV", v.PersisterEnv)
}

// directory judges which settings of the ldap persister there are; their values are its own business.
func (r *reader) directory(wanted bool) {
	for _, s := range Table() {
		there := slices.Contains(r.ofPersister, s.Name)
		switch {
		case !strings.HasPrefix(s.Name, "NARTHEX_LDAP_"):
		case there && !wanted:
			r.fault(s.Name, "is for the ldap persister, and NARTHEX_PERSISTER is sql", "set NARTHEX_PERSISTER=ldap, or remove it")
		case !there && wanted && s.Default == "" && s.Secret:
			r.fault(s.Name, "is missing, and the ldap persister needs it", "set it, or better "+s.Name+"_FILE to the path of a file that holds it")
		case !there && wanted && s.Default == "":
			r.fault(s.Name, "is missing, and the ldap persister needs it", "set it to "+s.Meaning)
		}
	}
}

// variableNames reads a list of names of variables that a persister may see: none with a secret of this process.
func (r *reader) variableNames(setting, list string) (names []string) {
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		ours, _, known := find(name)
		switch {
		case name == "":
		case !variableName.MatchString(name):
			r.fault(setting, "holds something that is no variable's name", "list names only, separated by commas")
		case known && ours.Secret && !ours.Persister:
			r.fault(setting, "names "+name+", which is a secret of this process", "remove it there: no persister may see it")
		default:
			names = append(names, name)
		}
	}
	return names
}

// Loopback tells whether a host is this machine itself and nothing else.
func Loopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}
