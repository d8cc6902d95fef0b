//go:build !unix

package config

import "io/fs"

// owner is not known here.
func owner(fs.FileInfo) (uid, gid int, known bool) { return 0, 0, false }
