// Package entry owns how an account becomes a directory entry as the admin wants it, and back: the admin's file with its
// templates, what the schema makes of it, numbers, groups, locks and the forms of passwords. It leaves to others when an
// entry may be written (claims) and how a request travels (directory).
package entry
