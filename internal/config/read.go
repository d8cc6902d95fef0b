package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// maxSecretFile bounds a file that holds a secret, in bytes.
const maxSecretFile = 16 << 10

// Read reads and judges the settings in an environment ("NAME=value"). Its error is Faults, all of them.
func Read(environ []string) (*Settings, error) {
	r := &reader{values: map[string]string{}}
	r.sort(environ)
	for _, setting := range Table() {
		if setting.Persister {
			continue
		}
		value, set := r.values[setting.Name]
		restore, err := setenv(setting.Name, value, set)
		if err != nil {
			return nil, err
		}
		defer restore()
	}
	var v variables
	// All fields are texts: nothing can fail to convert, and nothing is printed.
	if err := envconfig.Process(strings.TrimSuffix(Prefix, "_"), &v); err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	s := r.judge(v)
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// reader collects faults while it reads.
type reader struct {
	values map[string]string
	// ofPersister names the settings that go to the persister, as they are present.
	ofPersister []string
	faults      Faults
}

func (r *reader) fault(name, problem, fix string) {
	r.faults = append(r.faults, Fault{Path: name, Problem: problem, Fix: fix})
}

// sort finds the settings among the variables: unknown names, settings of the persister, secrets in files.
func (r *reader) sort(environ []string) {
	var known []string
	for _, s := range Table() {
		known = append(known, strings.TrimPrefix(s.Name, Prefix))
	}
	present := map[string]string{}
	for _, variable := range environ {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, Prefix) && !kubernetes(name) {
			present[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(present)) {
		value := present[name]
		s, file, ok := find(name)
		_, both := present[strings.TrimSuffix(name, "_FILE")]
		switch {
		case !ok:
			r.fault(name, "there is no such setting", whatElse(name, known))
		case file && both:
			r.fault(name, "stands beside "+s.Name, "keep one of the two")
		case s.Secret && value == "":
			r.fault(name, "is empty", "set it, or remove it")
		case s.Persister:
			// The persister's own: its value is not even looked at here.
			r.ofPersister = append(r.ofPersister, s.Name)
		case file:
			r.values[s.Name] = r.secretFile(name, value)
		default:
			r.values[name] = value
		}
	}
}

// serviceVariable matches what Kubernetes sets for services whose name begins with narthex-.
var serviceVariable = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_(TCP|UDP|SCTP).*)?)$`)

// whatElse is the fix for a name that is no setting; known has no prefixes, which would make all names alike.
func whatElse(name string, known []string) string {
	const list = "'narthex config check' lists the settings"
	if serviceVariable.MatchString(name) {
		return "if it comes from Kubernetes, set enableServiceLinks: false; " + list
	}
	if like := Nearest(strings.TrimPrefix(name, Prefix), known); like != "" {
		return fmt.Sprintf("did you mean %s? %s", Prefix+like, list)
	}
	return "remove it; " + list
}

// secretFile reads a secret from a file that only its owner can read.
func (r *reader) secretFile(name, path string) string {
	content, err := ReadSecretFile(path)
	if err != nil {
		r.fault(name, err.Error(), "name a readable file with the secret in it")
	}
	return content
}

// ReadSecretFile reads a file that holds a secret, without the line break at its end. A file that everybody can read is
// refused; its group may, because that is how secrets are mounted into containers. The error does not have the path of
// a file that is not there: it may be the secret itself, put into the wrong variable.
func ReadSecretFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return "", fmt.Errorf("the file cannot be opened: %w", err)
	}
	defer func() { _ = f.Close() }() // it is only read
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("everybody can read or write the file (mode %04o): run 'chmod o= %s'", info.Mode().Perm(), path)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	if len(content) > maxSecretFile {
		return "", fmt.Errorf("the file has more than %d bytes", maxSecretFile)
	}
	secret := strings.TrimRight(string(content), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("the file is empty")
	}
	return secret, nil
}

// setenv sets a variable for envconfig, which reads the process's own environment, or takes it away, and returns how to
// undo that.
func setenv(name, value string, set bool) (restore func(), err error) {
	old, was := os.LookupEnv(name)
	if set {
		err = os.Setenv(name, value)
	} else {
		err = os.Unsetenv(name)
	}
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	return func() {
		if was {
			_ = os.Setenv(name, old)
		} else {
			_ = os.Unsetenv(name)
		}
	}, nil
}
