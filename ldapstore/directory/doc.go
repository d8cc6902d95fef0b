// Package directory speaks LDAP: connections that heal, operations with deadlines, names and filters that cannot be
// confused, and what the three kinds of server do differently. It knows nothing of accounts, claims or templates.
package directory
