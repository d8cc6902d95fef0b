#!/usr/bin/env bash
# Generates the Go code of persister.proto with protoc (Debian: protobuf-compiler) and the plugins pinned in .tools.
# Run by go generate; running it twice changes nothing, so a check may run it and look for a difference.
set -euo pipefail
cd "$(dirname "$0")"
tools="$(mktemp -d)"
trap 'rm -rf "$tools"' EXIT
go build -modfile=../../.tools/go.mod -o "$tools/" \
	google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
PATH="$tools:$PATH" protoc --go_out=. --go_opt=paths=source_relative \
	--go-grpc_out=. --go-grpc_opt=paths=source_relative persister.proto
