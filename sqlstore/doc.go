// Package sqlstore is the persister for SQL databases: SQLite and PostgreSQL. One table holds the canonical keys of
// usernames and all aliases, and its primary key is what decides who was first. It knows the persister contract and
// nothing else of the project.
package sqlstore
