package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/narthex/narthex/plugin"
)

// Prefix begins the name of every setting's variable.
const Prefix = "NARTHEX_"

// variables are the settings as envconfig reads them: all are texts, so that no library ever prints one that it cannot
// convert, and every fault can be reported at once. Field names give variable names (Sha256, SMTPUrl: acronyms are split
// otherwise); see Table.
type variables struct {
	Listen      string `default:"127.0.0.1:8080"`
	AdminListen string `split_words:"true" default:"127.0.0.1:8081"`
	PublicURL   string `split_words:"true"`
	DataDir     string `split_words:"true" default:"./narthex-data"`
	Flows       string
	Secret      string
	StateDSN    string `split_words:"true"`

	Persister       string `default:"sql"`
	PersisterSha256 string `split_words:"true"`
	PersisterEnv    string `split_words:"true"`

	SMTPUrl  string `split_words:"true"`
	MailFrom string `split_words:"true"`
	LoginURL string `split_words:"true"`
	ThemeDir string `split_words:"true"`

	TrustedProxies string `split_words:"true"`

	LogLevel  string `split_words:"true" default:"info"`
	LogFormat string `split_words:"true" default:"text"`
}

// Settings are the process's settings, judged.
type Settings struct {
	// Listen and AdminListen are "host:port"; port 0 lets the system choose.
	Listen, AdminListen string
	// PublicURL is how people reach the public listener; nil: http at the address it listens on.
	PublicURL *url.URL
	// DataDir holds what the process keeps.
	DataDir string
	// Flows is the flows file; empty: the built-in one.
	Flows string
	// Secret holds the keys, one of 64 hexadecimal digits a line; empty: made and kept in DataDir.
	Secret plugin.Secret
	// StateDSN is the URL of the PostgreSQL database that has the state; empty: it is in the SQLite file StateFile.
	StateDSN  plugin.Secret
	StateFile string
	// Persister is "sql", "ldap" or an absolute path, and PersisterSHA256 the checksum of what is there.
	Persister, PersisterSHA256 string
	// PersisterEnv lists the variables to pass to the persister.
	PersisterEnv []string
	// SMTP is the mail server; nil: mails are kept as files.
	SMTP *SMTP
	// MailFrom is the sender of mails.
	MailFrom string
	// LoginURL is where people log in; may be empty.
	LoginURL string
	// ThemeDir holds the operator's own templates, texts and style sheet; may be empty.
	ThemeDir string
	// TrustedProxies are the networks of those whose forwarded headers are believed.
	TrustedProxies []netip.Prefix
	// LogLevel is debug, info, warn or error; LogJSON chooses JSON lines.
	LogLevel string
	LogJSON  bool
}

// BuiltinPersister tells whether the persister is part of this program.
func (s *Settings) BuiltinPersister() bool { return s.Persister == "sql" || s.Persister == "ldap" }

// Setting describes one setting for people.
type Setting struct {
	// Name of its variable, Default value and Meaning.
	Name, Default, Meaning string
	// Secret: its value is never shown, and NAME_FILE may name a file that holds it.
	Secret bool
	// Persister: the value goes to the persister's process, and this one does not look at it.
	Persister bool
}

// Table lists every setting.
func Table() []Setting {
	return []Setting{
		{Name: "NARTHEX_LISTEN", Default: "127.0.0.1:8080", Meaning: "address of the public listener: pages and API"},
		{Name: "NARTHEX_ADMIN_LISTEN", Default: "127.0.0.1:8081", Meaning: "address of the admin listener: health, metrics, and the mailbox of a development machine; never make it public"},
		{Name: "NARTHEX_PUBLIC_URL", Default: "http:// and the address of NARTHEX_LISTEN, if that is a loopback address", Meaning: "how people reach the public listener; https, or http on a loopback address"},
		{Name: "NARTHEX_DATA_DIR", Default: "./narthex-data", Meaning: "folder for everything this process keeps"},
		{Name: "NARTHEX_FLOWS", Meaning: "the flows file; without one the built-in flow serves while NARTHEX_PUBLIC_URL is on a loopback address, and registration is closed elsewhere"},
		{Name: "NARTHEX_SECRET", Default: "made once and kept in secret in NARTHEX_DATA_DIR; required when the state is in PostgreSQL", Secret: true, Meaning: "keys that seal what is unfinished: one of 64 hexadecimal digits a line, the first is current"},
		{Name: "NARTHEX_STATE_DSN", Default: "state.db in NARTHEX_DATA_DIR", Secret: true, Meaning: "the state database: a path of a SQLite file, or postgres://user:password@host/database for several sidecars that share one"},
		{Name: "NARTHEX_PERSISTER", Default: "sql", Meaning: "who keeps the accounts: sql, ldap, or the absolute path of a persister's binary"},
		{Name: "NARTHEX_PERSISTER_SHA256", Meaning: "the SHA-256 of that binary, 64 hexadecimal digits"},
		{Name: "NARTHEX_PERSISTER_CONFIG", Persister: true, Meaning: "the persister's own file, handed over by its path"},
		{Name: "NARTHEX_PERSISTER_ENV", Meaning: "names of further variables that an external persister gets, separated by commas"},
		{Name: "NARTHEX_SQL_DSN", Default: "accounts.db in NARTHEX_DATA_DIR", Secret: true, Persister: true, Meaning: "the account database of the sql persister: a path of a SQLite file, or postgres://user:password@host/database"},
		{Name: "NARTHEX_SQL_ARGON2ID", Default: "m=19456,t=2,p=1", Persister: true, Meaning: "the cost of a password's hash: memory in KiB, passes, lanes"},
		{Name: "NARTHEX_SMTP_URL", Default: "mails become files in NARTHEX_DATA_DIR/mail, if NARTHEX_PUBLIC_URL is on a loopback address", Secret: true, Meaning: "the mail server: smtp://user:password@host:587 demands STARTTLS, smtps://host:465 begins with TLS; ?tls=opportunistic or ?tls=none after smtp:// ask for less"},
		{Name: "NARTHEX_MAIL_FROM", Default: "narthex@ and the host of NARTHEX_PUBLIC_URL", Meaning: "the sender of mails"},
		{Name: "NARTHEX_LOGIN_URL", Meaning: "where people log in; shown when they have registered and to owners of an address that is taken"},
		{Name: "NARTHEX_THEME_DIR", Meaning: "folder with templates, texts and a style sheet of your own, which replace the built-in ones of the same name"},
		{Name: "NARTHEX_TRUSTED_PROXIES", Meaning: "networks of the proxies whose forwarded headers are believed, like 10.0.0.0/8, separated by commas"},
		{Name: "NARTHEX_LOG_LEVEL", Default: "info", Meaning: "debug, info, warn or error"},
		{Name: "NARTHEX_LOG_FORMAT", Default: "text", Meaning: "text or json"},

		{Name: "NARTHEX_LDAP_URL", Persister: true, Meaning: "the directory server that the ldap persister writes to: ldaps://host, or ldap://host with StartTLS, which is demanded"},
		{Name: "NARTHEX_LDAP_BASE", Persister: true, Meaning: "the entry that everything stands below, like dc=example,dc=org"},
		{Name: "NARTHEX_LDAP_BIND_DN", Persister: true, Meaning: "the service account in the directory"},
		{Name: "NARTHEX_LDAP_BIND_PASSWORD", Secret: true, Persister: true, Meaning: "the service account's password"},
		{Name: "NARTHEX_LDAP_CA_FILE", Default: "the authorities that the system trusts", Persister: true, Meaning: "certificates (PEM) of the authority that the directory's certificate comes from"},
	}
}

// PersisterVariables names the variables that the built-in persister gets: its settings, as values or as files.
func PersisterVariables() []string {
	var names []string
	for _, s := range Table() {
		if s.Persister {
			names = append(names, s.Name)
			if s.Secret {
				names = append(names, s.Name+"_FILE")
			}
		}
	}
	return names
}

// find returns the setting that a variable belongs to, and whether the variable is its _FILE form.
func find(name string) (s Setting, file, known bool) {
	table := Table()
	if i := slices.IndexFunc(table, func(s Setting) bool { return s.Name == name }); i >= 0 {
		return table[i], false, true
	}
	base, isFile := strings.CutSuffix(name, "_FILE")
	if i := slices.IndexFunc(table, func(s Setting) bool { return s.Name == base && s.Secret }); isFile && i >= 0 {
		return table[i], true, true
	}
	return Setting{}, false, false
}

// kubernetes tells the variables that Kubernetes sets for a service named narthex.
func kubernetes(name string) bool {
	return name == "NARTHEX_PORT" || strings.HasPrefix(name, "NARTHEX_PORT_") || strings.HasPrefix(name, "NARTHEX_SERVICE_")
}
