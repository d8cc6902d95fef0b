package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/doctor"
	"github.com/narthex/narthex/ldapstore/entry"
)

func newDirectory() *cobra.Command {
	parent := &cobra.Command{Use: "directory", Short: "Prepare and examine the directory that keeps the accounts", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	parent.AddCommand(newDirectoryCheck(), newDirectoryAdopt())
	return parent
}

// directoryCheck are the flags of the doctor.
type directoryCheck struct {
	ldif, strict                        bool
	format, kind, sid, purpose, backend string
	renewBefore                         time.Duration
}

func newDirectoryCheck() *cobra.Command {
	var f directoryCheck
	cmd := &cobra.Command{
		Use: "check", Short: "Examine the directory, or print what its admin has to load", Args: cobra.NoArgs,
		Long: `Reads the settings of the ldap persister (NARTHEX_LDAP_…, NARTHEX_PERSISTER_CONFIG) and the flows (NARTHEX_FLOWS), and tells
whether flows can run with this directory, and what to do where they cannot. It writes to the directory to find out what
the service account may do, and leaves one entry that no other use has: a claim that is free.

With --ldif it prints what the directory's admin has to load. With --kind it does so without asking the server.

Exit codes: 0 nothing keeps flows from running; 1 something does (with --strict: also warnings); 2 wrong usage.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.ldif, "ldif", false, "print entries, rights and indexes to load")
	flags.StringVar(&f.format, "format", string(doctor.FormatLDIF), "with --ldif: ldif; entries, without rights and indexes; slapd.conf, rights and indexes for that file")
	flags.StringVar(&f.kind, "kind", "", "with --ldif: the kind of server, instead of asking it: openldap, 389ds or ad")
	flags.StringVar(&f.sid, "sid", "", "with --kind ad: the service account's security identifier")
	flags.StringVar(&f.purpose, "for", "", "what the service account shall be allowed, with commas between (default: all that there is a use for): create,aliases,attributes,password,lock,groups,delete")
	flags.StringVar(&f.backend, "database", "", "with --ldif: OpenLDAP's database (default olcDatabase={1}mdb), or the backend of 389 Directory Server (default userroot)")
	flags.BoolVar(&f.strict, "strict", false, "exit with 1 for warnings, too")
	flags.DurationVar(&f.renewBefore, "renew-before", 0, "warn of a certificate that ends within this time (default 720h)")
	return cmd
}

func (f directoryCheck) run(cmd *cobra.Command) error {
	c, err := f.config()
	if err != nil {
		return err
	}
	if f.ldif {
		return f.print(cmd, c)
	}
	if f.kind != "" || f.sid != "" || f.backend != "" {
		return errors.New("--kind, --sid and --database are for --ldif")
	}
	if err := demand("NARTHEX_LDAP_URL", "NARTHEX_LDAP_BASE", "NARTHEX_LDAP_BIND_DN"); err != nil {
		return failed(err)
	}
	report := doctor.Check(cmd.Context(), c)
	if _, err := io.WriteString(cmd.OutOrStdout(), report.String()); err != nil {
		return err
	}
	if worst := report.Worst(); worst == doctor.Failure || f.strict && worst == doctor.Warning {
		return &exitError{code: exitFailed, err: errors.New("the directory needs something"), silent: true}
	}
	return nil
}

// config reads the settings. Their absence is told later: printing needs fewer of them.
func (f directoryCheck) config() (c doctor.Config, err error) {
	if c.Capabilities, err = doctor.ParseCapabilities(f.purpose); err != nil {
		return c, fmt.Errorf("--for: %w", err)
	}
	flows, err := readFlows(os.Getenv("NARTHEX_FLOWS"))
	if err != nil {
		return c, failed(err)
	}
	if c.Connection, err = directoryConnection(); err != nil {
		return c, failed(err)
	}
	if c.Base, err = directory.ParseDN(os.Getenv("NARTHEX_LDAP_BASE")); err != nil {
		return c, failed(fmt.Errorf("NARTHEX_LDAP_BASE: %w", err))
	}
	c.File, c.Uses, c.Database, c.RenewBefore = os.Getenv("NARTHEX_PERSISTER_CONFIG"), flows.Uses(), f.backend, f.renewBefore
	return c, nil
}

// print writes what an admin loads.
func (f directoryCheck) print(cmd *cobra.Command, c doctor.Config) error {
	names := []string{"NARTHEX_LDAP_BASE", "NARTHEX_LDAP_BIND_DN"}
	if f.kind == "" {
		names = append(names, "NARTHEX_LDAP_URL")
	}
	if err := demand(names...); err != nil {
		return failed(err)
	}
	plan, err := f.plan(cmd, c)
	if err != nil {
		return err
	}
	text, err := plan.Print(doctor.Format(f.format))
	if err != nil {
		return failed(err)
	}
	_, err = io.WriteString(cmd.OutOrStdout(), text)
	return err
}

func (f directoryCheck) plan(cmd *cobra.Command, c doctor.Config) (doctor.Plan, error) {
	kind := directory.Kind(f.kind)
	switch kind {
	case "":
		plan, err := doctor.Learn(cmd.Context(), c)
		if err != nil {
			return plan, failed(fmt.Errorf("ask the server (with --kind it is not asked): %w", err))
		}
		return plan, nil
	case directory.OpenLDAP, directory.DS389, directory.ActiveDirectory:
	default:
		return doctor.Plan{}, fmt.Errorf("--kind: %q is none of %s, %s, %s", f.kind, directory.OpenLDAP, directory.DS389, directory.ActiveDirectory)
	}
	settings, err := entry.Read(c.File, kind, c.Base)
	if err != nil {
		return doctor.Plan{}, failed(err)
	}
	service, err := directory.ParseDN(c.Connection.BindDN)
	if err != nil && kind != directory.ActiveDirectory { // there a userPrincipalName will do, and rights name a SID
		return doctor.Plan{}, failed(fmt.Errorf("NARTHEX_LDAP_BIND_DN: %w", err))
	}
	return doctor.Plan{Settings: settings, Service: service, Uses: c.Uses, Capabilities: c.Capabilities, Database: c.Database, ServiceSID: f.sid}, nil
}

// demand returns an error that names every setting that is missing.
func demand(names ...string) error {
	var missing []error
	for _, name := range names {
		if os.Getenv(name) == "" {
			missing = append(missing, fmt.Errorf("%s is missing: set it as for the ldap persister", name))
		}
	}
	return errors.Join(missing...)
}

// directoryConnection reads where the directory is and who speaks to it.
func directoryConnection() (directory.Settings, error) {
	s := directory.Settings{
		URL: os.Getenv("NARTHEX_LDAP_URL"), BindDN: os.Getenv("NARTHEX_LDAP_BIND_DN"),
		Password: os.Getenv("NARTHEX_LDAP_BIND_PASSWORD"), CAFile: os.Getenv("NARTHEX_LDAP_CA_FILE"),
	}
	file := os.Getenv("NARTHEX_LDAP_BIND_PASSWORD_FILE")
	if file == "" {
		return s, nil
	}
	if s.Password != "" {
		return s, errors.New("NARTHEX_LDAP_BIND_PASSWORD_FILE stands beside NARTHEX_LDAP_BIND_PASSWORD: keep one of the two")
	}
	password, err := config.ReadSecretFile(file)
	if err != nil {
		return s, fmt.Errorf("NARTHEX_LDAP_BIND_PASSWORD_FILE: %w", err)
	}
	s.Password = password
	return s, nil
}
