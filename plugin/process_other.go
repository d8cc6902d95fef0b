//go:build !linux

package plugin

import (
	"os"
	"os/exec"
)

// attachToParent has nothing to offer here: a persister notices the end of its standard input.
func attachToParent(*exec.Cmd) {}

// selfPath is this program's file.
func selfPath() (string, error) { return os.Executable() }

// execFile starts the file by its path: there is no way to execute a descriptor.
func execFile(cmd *exec.Cmd, file *os.File) { cmd.Path = file.Name() }
