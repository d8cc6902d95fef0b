package testenv

import (
	"crypto/rand"
	"crypto/sha512"
	_ "embed" // the entries that a directory starts with
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

var (
	//go:embed directory/ds389-config.ldif
	ds389ConfigLDIF string
	// The index comes before the first entry, so that it holds them all.
	//go:embed directory/ds389-index.ldif
	ds389IndexLDIF string
	//go:embed directory/ds389-access.ldif
	ds389AccessLDIF string
	//go:embed directory/ds389-claims.ldif
	ds389ClaimsLDIF string

	ds389Setting = regexp.MustCompile(`%[a-z_]+%`)
)

// ds389Shared holds what the package brings for a new instance.
const ds389Shared = "/usr/share/dirsrv/data/template-dse.ldif"

// StartDS389 starts 389 Directory Server. Nothing outside its folder is written: its own installer, which wants the
// system's folders and takes ten times as long, has no part in it.
func StartDS389(t testing.TB, options ...DirectoryOption) *Directory {
	t.Helper()
	o := chosen(options)
	o.refuseSlapdOnly(t, DS389)
	d := newDirectory(t, DS389)
	if err := d.prepareDS389(t, o); err != nil {
		t.Fatalf("prepare 389 Directory Server: %v", err)
	}
	t.Cleanup(d.Kill)
	if err := d.begin(); err != nil {
		t.Fatalf("start 389 Directory Server: %v", err)
	}
	tree := strings.Replace(treeLDIF, "objectClass: dcObject\nobjectClass: organization\no: LABEL\n", "objectClass: domain\n", 1) + ds389AccessLDIF
	if o.claims {
		tree = ds389IndexLDIF + tree + "\n" + ds389ClaimsLDIF
	}
	d.Load(t, d.fill(tree))
	return d
}

func (d *Directory) prepareDS389(t testing.TB, o directoryOptions) error {
	template, err := os.ReadFile(ds389Shared)
	if err != nil {
		return fmt.Errorf("install the package 389-ds-base: %w", err)
	}
	credential, err := serviceUser("dirsrv")
	if err != nil {
		return err
	}
	d.listenAt(clearPort, securePort)
	for _, dir := range []string{"etc", "db", "log", "run", "lock", "tmp", "ldif", "bak"} {
		if err := os.Mkdir(filepath.Join(d.dir, dir), 0o700); err != nil {
			return err
		}
	}
	for _, dir := range []string{"/etc/dirsrv/config", "/etc/dirsrv/schema"} {
		to := "etc"
		if filepath.Base(dir) == "schema" {
			to = "etc/schema"
		}
		if err := os.CopyFS(filepath.Join(d.dir, to), os.DirFS(dir)); err != nil {
			return fmt.Errorf("copy what only root and dirsrv may read (run these tests as root, in a container for example, as CI does): %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(d.dir, "etc", "dse.ldif"), []byte(d.ds389Config(string(template), o)), 0o600); err != nil {
		return err
	}
	if err := d.ds389Certificate(t); err != nil {
		return err
	}
	d.process.command = func() *exec.Cmd {
		// -d keeps it in the foreground.
		cmd := exec.Command("/usr/sbin/ns-slapd", "-D", filepath.Join(d.dir, "etc"), "-i", filepath.Join(d.dir, "run", "pid"), "-d", "0")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
		return cmd
	}
	return giveAway(d.dir, credential)
}

// ds389Config fills the package's template of dse.ldif.
func (d *Directory) ds389Config(template string, o directoryOptions) string {
	runs := "dirsrv"
	if me, err := user.Current(); err == nil && me.Uid != "0" {
		runs = me.Username
	}
	durable := "off"
	if o.sync {
		durable = "on"
	}
	at := func(name string) string { return filepath.Join(d.dir, name) }
	settings := map[string]string{
		"schema_dir": at("etc/schema"), "lock_dir": at("lock"), "tmp_dir": at("tmp"), "cert_dir": at("etc"), "ldif_dir": at("ldif"),
		"bak_dir": at("bak"), "run_dir": at("run"), "inst_dir": at("etc"), "log_dir": at("log"), "config_dir": at("etc"),
		"db_dir": at("db"), "db_home_dir": at("db"), "db_lib": "bdb", "ldapi": at("run/ldapi"), "ldapi_enabled": "off",
		"ldapi_autobind": "off", "fqdn": "localhost", "ds_port": fmt.Sprint(clearPort), "ds_user": runs, "rootdn": d.AdminDN,
		"ds_passwd": ssha512(d.AdminPassword), "ds_suffix": d.Base,
	}
	filled := ds389Setting.ReplaceAllStringFunc(template, func(name string) string {
		if value, ok := settings[strings.Trim(name, "%")]; ok {
			return value
		}
		return name
	})
	listen := fmt.Sprintf("dn: cn=config\nnsslapd-listenhost: %[1]s\nnsslapd-securelistenhost: %[1]s\nnsslapd-security: on\nnsslapd-securePort: %[2]d\n", d.ip, securePort)
	filled = strings.Replace(filled, "dn: cn=config\n", listen, 1)
	return strings.TrimRight(filled, "\n") + "\n" + strings.ReplaceAll(d.fill(ds389ConfigLDIF), "DURABLE", durable) + "\n"
}

// ds389Certificate puts a certificate into a database of NSS, which the server reads.
func (d *Directory) ds389Certificate(t testing.TB) error {
	certificate, key := d.certificate(t, "localhost")
	etc, bundle := filepath.Join(d.dir, "etc"), filepath.Join(d.dir, "server.p12")
	for _, args := range [][]string{
		{"openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-name", "Server-Cert", "-out", bundle, "-passout", "pass:"},
		{"certutil", "-N", "-d", etc, "--empty-password"},
		{"pk12util", "-i", bundle, "-d", etc, "-K", "", "-W", ""},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s (of the packages openssl and libnss3-tools): %w\n%s", args[0], err, out)
		}
	}
	return nil
}

// giveAway gives a folder with all in it to another user, if there is one.
func giveAway(dir string, to *syscall.Credential) error {
	if to == nil {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(to.Uid), int(to.Gid))
	})
}

// ssha512 is a password as the server keeps it: salted SHA-512.
func ssha512(password string) string {
	salt := make([]byte, 8)
	_, _ = rand.Read(salt) // it never fails
	sum := sha512.Sum512(append([]byte(password), salt...))
	return "{SSHA512}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...))
}
