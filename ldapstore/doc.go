// Package ldapstore keeps accounts in a directory that is already there: OpenLDAP, 389 Directory Server or Active
// Directory. It joins what its parts do: directory speaks LDAP, claim holds identifiers, entry shapes what an admin sees.
package ldapstore
