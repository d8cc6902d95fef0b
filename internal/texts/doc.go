// Package texts owns how words for people are found: one file per language beside the code that says them, and the
// operator's own texts/<locale>.yaml over them. What is said, and when, is left to the packages that say it.
package texts
