// Package config reads what operators write: the process's settings from the environment, and YAML files, strictly.
// It finds every fault before it gives up, each with its place and the way to mend it. What a flows file means is the
// flow engine's business.
package config
