package identifier

// ReservedCount tells the tests how many names the built-in list has.
func ReservedCount() int {
	names, _ := reservedNames(nil)
	return len(names)
}
