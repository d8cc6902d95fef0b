// Package adminapi owns the admin listener: health and readiness for whoever runs the sidecar, and the mailbox of a
// development machine. It never shares a listener with the public. What is checked and where mails lie is left to the
// packages that are handed in.
package adminapi
