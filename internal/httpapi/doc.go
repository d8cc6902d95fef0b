// Package httpapi owns the public HTTP API: what openapi.yaml promises, strict decoding of what comes in, and the one
// table by which errors become problem documents. It knows the registration engine only as flow.API and decides
// nothing about registrations itself; pages for people are in package web, and what is done around every request is in
// package guard.
package httpapi

//go:generate go tool -modfile=../../.tools/go.mod oapi-codegen -config openapi/generate.yaml openapi.yaml
