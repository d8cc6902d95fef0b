package docs_test

import (
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
)

// compose is what the tests read of a compose file.
type compose struct {
	Services map[string]struct {
		Build       struct{ Context, Dockerfile string }
		Environment map[string]string
		Volumes     []string
		Healthcheck struct{ Test []string }
		DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	}
	Volumes map[string]any
}

func TestComposeFileForADirectory(t *testing.T) {
	var file compose
	if err := yaml.Unmarshal([]byte(read(t, "../docker-compose.ldap.yml")), &file); err != nil {
		t.Fatal(err)
	}

	t.Run("the sidecar's settings are sound", func(t *testing.T) {
		sidecar := file.Services["narthex"]
		environ := []string{"NARTHEX_SECRET=3c1f0e9ad24b58677a6b5c4d3e2f10018f9eadbccbda07165243a1b2c3d4e5f6"}
		for name, value := range sidecar.Environment {
			environ = append(environ, name+"="+value)
		}
		s, err := config.Read(environ)
		if err != nil {
			t.Fatal(err)
		}
		if s.Persister != "ldap" || s.SMTP == nil || s.SMTP.Host != "mail" {
			t.Errorf("settings are missing: %+v", s)
		}
	})

	t.Run("sidecar and directory speak of the same", func(t *testing.T) {
		sidecar, script := file.Services["narthex"].Environment, read(t, "install/ldap/directory.sh")
		base := sidecar["NARTHEX_LDAP_BASE"]
		if sidecar["NARTHEX_LDAP_BIND_PASSWORD"] != file.Services["directory"].Environment["DIRECTORY_SERVICE_PASSWORD"] ||
			sidecar["NARTHEX_LDAP_BIND_DN"] != "cn=svc,"+base || !strings.Contains(script, "\nbase="+base+"\n") {
			t.Errorf("sidecar: %v, directory: %v", sidecar, file.Services["directory"].Environment)
		}
		if _, err := entry.Decode("directory.yaml", []byte(read(t, "install/ldap/directory.yaml")), directory.OpenLDAP, directory.DN(base)); err != nil {
			t.Error(err)
		}
	})

	t.Run("every file and volume is there, and every service tells how it is", func(t *testing.T) {
		ends := map[string]bool{"rights": true} // it prints, and is done
		for name, service := range file.Services {
			if _, err := os.Stat("../" + service.Build.Dockerfile); err != nil || service.Build.Context != "." {
				t.Errorf("%s is built in %q: %v", name, service.Build.Context, err)
			}
			if len(service.Healthcheck.Test) == 0 && !ends[name] {
				t.Errorf("%s has no health check", name)
			}
			for _, volume := range service.Volumes {
				source, _, _ := strings.Cut(volume, ":")
				_, named := file.Volumes[source]
				if _, err := os.Stat("../" + source); err != nil && !named {
					t.Errorf("%s mounts %s: %v", name, source, err)
				}
			}
			for other, how := range service.DependsOn {
				want := map[bool]string{true: "service_completed_successfully", false: "service_healthy"}[ends[other]]
				if _, ok := file.Services[other]; !ok || how.Condition != want {
					t.Errorf("%s waits for %s to be %s", name, other, how.Condition)
				}
			}
		}
	})
}
