// Package identifier is the only place that parses, canonicalises and compares what people are called by: usernames,
// email addresses and phone numbers, and the values that must be unique without being names. It judges passwords as
// well. It knows no store and no flow; a store only ever sees the finished canonical keys.
package identifier
