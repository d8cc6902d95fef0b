#!/bin/sh
# Runs OpenLDAP in the foreground. The first start makes what the tests of Narthex start with as well, the tree with a
# service account and a password policy, then an authority with the server's certificate, and loads rights.ldif.
# For trying only: the passwords are those of the compose file.
set -eu
data=${DIRECTORY_DATA:-/var/lib/directory}            # the server's own
shared=${DIRECTORY_SHARED:-/shared}                   # here lies rights.ldif, and clients find authority.pem
ldif=${DIRECTORY_LDIF:-/usr/local/share/directory}    # testenv/directory of the repository
urls=${DIRECTORY_URLS:-"ldap:/// ldaps:///"}
user=${DIRECTORY_USER-openldap}                       # empty: nobody else
base=dc=example,dc=org
admin_password=${DIRECTORY_ADMIN_PASSWORD:?}

# fill replaces the names in one of the files, as the tests do.
fill() {
  sed -e "/^OVERLAYS\$/{r $ldif/openldap-overlay-ppolicy.ldif" -e 'd}' -e 's/^MODULES$/olcModuleLoad: ppolicy/' "$@" |
    sed -e "s|AUTHORITYFILE|$shared/authority.pem|" -e 's/PASSWORDHASH/{SSHA}/' -e 's/NOSYNC/FALSE/' \
      -e 's/INDEXES/entryCSN/' \
      -e "s|ADMINPASSWORD|$admin_password|" -e "s|SERVICEPASSWORD|$DIRECTORY_SERVICE_PASSWORD|" \
      -e "s|PLAINPASSWORD|${DIRECTORY_PLAIN_PASSWORD:-$admin_password}|" \
      -e "s|DIRECTORY|$data|" -e "s/LABEL/example/" -e "s/BASE/$base/g"
}

# certify makes an authority, whose key is thrown away, and the server's certificate.
certify() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=Authority of this directory' \
    -addext basicConstraints=critical,CA:TRUE -keyout "$data/authority.key" -out "$shared/authority.pem"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=directory' -keyout "$data/server.key" -out "$data/server.csr"
  printf 'subjectAltName=DNS:directory,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' > "$data/server.ext"
  openssl x509 -req -in "$data/server.csr" -CA "$shared/authority.pem" -CAkey "$data/authority.key" -CAcreateserial \
    -CAserial "$data/authority.serial" -days 3650 -extfile "$data/server.ext" -out "$data/server.pem"
  rm "$data/authority.key" "$data/server.csr" "$data/server.ext"
  chmod 644 "$shared/authority.pem"
}

# load_rights needs a running server: it changes the rules of access along with the tree.
load_rights() {
  socket="ldapi://$(printf %s "$data/ldapi" | sed 's|/|%2F|g')"
  slapd -F "$data/config" -h "$socket" -d 0 &
  server=$!
  until ldapwhoami -x -H "$socket" >/dev/null 2>&1; do
    kill -0 $server
    sleep 0.05
  done
  ldapmodify -x -H "$socket" -D "cn=admin,$base" -w "$admin_password" -f "$shared/rights.ldif"
  kill $server
  wait $server || true
}

if [ ! -e "$data/made" ]; then
  rm -rf "$data/config" "$data/db" # of a first start that was broken off
  mkdir -p "$data/config" "$data/db"
  certify
  fill "$ldif/openldap-config.ldif" | slapadd -q -n 0 -F "$data/config"
  fill "$ldif/tree.ldif" "$ldif/openldap-policy.ldif" | slapadd -q -n 1 -F "$data/config"
  load_rights
  [ -z "$user" ] || chown -R "$user:$user" "$data"
  touch "$data/made"
fi
# -d keeps it in the foreground and tells what it is asked.
exec slapd -F "$data/config" -h "$urls" ${user:+-u "$user" -g "$user"} -d stats
