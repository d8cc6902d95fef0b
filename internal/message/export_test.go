package message

// For the tests.
var NewRendererOf = newRenderer

const SizeClass = sizeClass
