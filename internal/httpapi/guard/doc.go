// Package guard owns what every listener of the sidecar does around a request, whoever answers it: the server with its
// deadlines, request ids, who the client is behind trusted proxies, the access log, isolation of panics, hardening
// headers, and the two rules by which a browser's request is believed (the registration cookie and the proof of same
// origin). What the requests mean is left to the packages that register routes.
package guard
