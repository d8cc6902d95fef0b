package testenv

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// sambaDomain returns the folder of a new domain that nothing has run in. It is made once for a version of Samba and
// shared by all processes of this user; nobody changes it.
func sambaDomain(adminPassword string) (string, error) {
	provision := []string{"domain", "provision", "--realm=LAB.TEST", "--domain=LAB", "--server-role=dc", "--dns-backend=NONE",
		"--host-name=dc1", "--host-ip=127.0.0.1", "--adminpass=" + adminPassword, "--option=interfaces=127.0.0.1/8", "--option=bind interfaces only=yes",
		"--option=acl_xattr:security_acl_name=user.NTACL"} // the usual attribute takes more than root in a container may
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "narthex-testenv")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	binary, err := os.Stat("/usr/sbin/samba")
	if err != nil {
		return "", err
	}
	recipe := fmt.Sprint(binary.Size(), binary.ModTime().UnixNano(), provision)
	domain := filepath.Join(cache, fmt.Sprintf("samba-%x", sha256.Sum256([]byte(recipe)))[:26])

	lock, err := os.OpenFile(domain+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close() // which lets go
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(domain); err == nil {
		return domain, nil
	}
	return domain, makeSambaDomain(domain, provision)
}

// makeSambaDomain has samba-tool make a domain, aside at first: a killed test leaves no half of one.
func makeSambaDomain(domain string, provision []string) error {
	aside := domain + ".new"
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if err := os.Mkdir(aside, 0o700); err != nil {
		return err
	}
	settings := filepath.Join(aside, "provision.conf") // in place of the machine's own
	if err := os.WriteFile(settings, []byte("[global]\n"), 0o600); err != nil {
		return err
	}
	var out bytes.Buffer
	cmd := exec.Command("samba-tool", append(provision, "--targetdir="+aside, "--configfile="+settings)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := startDying(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return fmt.Errorf("samba-tool domain provision: %w\n%s", err, strings.TrimSpace(out.String()))
	}
	return os.Rename(aside, domain)
}
