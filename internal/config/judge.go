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
)

var (
	checksum     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// judge turns the texts into settings.
func (r *reader) judge(v variables) *Settings {
	s := &Settings{
		Listen: r.address("NARTHEX_LISTEN", v.Listen), AdminListen: r.address("NARTHEX_ADMIN_LISTEN", v.AdminListen),
		DataDir: v.DataDir, Flows: v.Flows, Secret: v.Secret, MailFrom: v.MailFrom, LoginURL: v.LoginURL,
		StateFile: v.StateDSN, LogLevel: v.LogLevel, LogJSON: v.LogFormat == "json",
	}
	if s.DataDir == "" {
		r.fault("NARTHEX_DATA_DIR", "is empty", "name a folder, or leave the variable out")
	}
	if s.Listen != "" && s.Listen == s.AdminListen && !strings.HasSuffix(s.Listen, ":0") {
		r.fault("NARTHEX_ADMIN_LISTEN", "is the address of the public listener", "choose another port; it must not be public")
	}
	s.PublicURL = r.publicURL(v.PublicURL, s.Listen)
	if s.StateFile == "" {
		s.StateFile = filepath.Join(s.DataDir, "state.db")
	} else if strings.Contains(s.StateFile, "://") {
		r.fault("NARTHEX_STATE_DSN", "is not a path", "name a SQLite file; other databases are not available yet")
	}
	r.persister(v, s)
	if v.LoginURL != "" {
		if u, err := url.Parse(v.LoginURL); err != nil || !u.IsAbs() || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && Loopback(u.Hostname())) {
			r.fault("NARTHEX_LOGIN_URL", "is not an https address", "write it in full, like https://login.example.org/")
		}
	}
	if v.MailFrom != "" && strings.Count(v.MailFrom, "@") != 1 {
		r.fault("NARTHEX_MAIL_FROM", "is not an address", "write one like accounts@example.org")
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
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/"):
		r.fault(name, "is not the address of a site", "write scheme and host only, like https://join.example.org")
		return nil
	case u.Scheme != "https" && !(u.Scheme == "http" && Loopback(u.Hostname())):
		r.fault(name, "is not https", "use https; http is for loopback addresses only")
		return nil
	case u.Scheme == "https" && !Loopback(u.Hostname()):
		r.fault("NARTHEX_SMTP_URL", "is missing, and NARTHEX_PUBLIC_URL is not on a loopback address", "mails can only be kept as files so far: use a loopback address; sending over SMTP is not available yet")
	}
	u.Path = ""
	return u
}

func (r *reader) persister(v variables, s *Settings) {
	s.Persister, s.PersisterSHA256 = v.Persister, strings.ToLower(v.PersisterSha256)
	switch {
	case s.Persister == "ldap":
		r.fault("NARTHEX_PERSISTER", "cannot be ldap yet", ldapLater)
	case s.BuiltinPersister():
		if s.PersisterSHA256 != "" || v.PersisterEnv != "" {
			r.fault("NARTHEX_PERSISTER_SHA256", "and NARTHEX_PERSISTER_ENV are for external persisters", "remove them, or set NARTHEX_PERSISTER to a binary's absolute path")
		}
		return
	case !filepath.IsAbs(s.Persister):
		r.fault("NARTHEX_PERSISTER", "is neither sql nor an absolute path", "write sql, or the whole path of a persister's binary")
	case !checksum.MatchString(s.PersisterSHA256):
		r.fault("NARTHEX_PERSISTER_SHA256", "is not the SHA-256 of the persister", "set it to the 64 hexadecimal digits that 'sha256sum' prints for NARTHEX_PERSISTER")
	}
	for name := range strings.SplitSeq(v.PersisterEnv, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
		case !variableName.MatchString(name):
			r.fault("NARTHEX_PERSISTER_ENV", "holds something that is no variable's name", "list names only, separated by commas")
		default:
			s.PersisterEnv = append(s.PersisterEnv, name)
		}
	}
}

// Loopback tells whether a host is this machine itself and nothing else.
func Loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}
