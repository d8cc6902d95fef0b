// Package doctor tells a directory's admin whether the ldap persister can work there, what to do where it cannot, and what
// to load: entries, rights and indexes. It owns probing and wording. It leaves to others how a request travels
// (directory), what an entry looks like (entry) and what the persister does with its rights.
package doctor
