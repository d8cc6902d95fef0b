// Package web owns the pages on which people register: their routes, words and looks. They are plain forms that work
// without scripts. Everything that happens to a registration happens through flow.API, the same calls that the HTTP API
// makes; a GET changes nothing.
package web
