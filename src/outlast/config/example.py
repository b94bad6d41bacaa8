"""The commented `outlast.toml` that `outlast init` writes. It is valid as it stands; a test loads it."""

EXAMPLE = """\
# outlast.toml: what exists, where its records live, and how it is watched.
# Endpoints, targets, bake and canary may be edited while the roles run; the planner follows within a second. All else is
# read at the start of a role. Durations are "250ms", "5s", "2m", "1h"; paths are relative to this file.

# The name under which this set-up signs its sentinels. Never give two set-ups the same one.
realm = "shop"

# Plans and records. Every role of this set-up needs the same registry. One machine needs no more than a file.
[registry]
kind = "sqlite"
path = "outlast.db"
# depends_on = ["files.example.net"]  # hosts it needs, beside those in its address; never an endpoint of this file
# Several machines share a server, best in three failure domains, instead:
#   "postgres" with dsn = "postgresql://outlast@192.0.2.10:5432/outlast" and password_file or password_env
#   "etcd" with endpoints = ["https://192.0.2.11:2379", ...], user and password_file
#   both with ca_file (whose certificates are believed; for PostgreSQL it also demands TLS), cert_file and key_file
#   "s3" with bucket = "plans", and region or endpoint; credentials as boto3 finds them

# A primary that takes signed DNS UPDATE (RFC 2136): BIND, Knot, PowerDNS, or: outlast nameserver serve.
# An endpoint is kept at every provider that has a zone for it.
[provider.primary]
kind = "rfc2136"
address = "192.0.2.53"              # an IP address: what repairs DNS must not need DNS
# port = 53
zones = ["example.com"]
key_secret_file = "tsig.key"        # from: umask 077; tsig-keygen outlast > tsig.key    (or the bare secret in base64)
# key_secret_env = "TSIG_SECRET"    # or an environment variable, instead of the file
# key_name = "outlast."             # needed unless the key file says it
# key_algorithm = "hmac-sha256"     # likewise
# timeout = "2s"                    # for one read or one transaction
# signed = false                    # true: it signs these zones (DNSSEC) with keys that no other provider has
# multi_signer = false              # true: its DNSKEY sets hold the keys of all providers of these zones (RFC 8901)
# secondaries = ["192.0.2.54", "198.51.100.54:5353"]   # who gets these zones by transfer: status and evacuate ask them, too

# PowerDNS by its HTTP API: it cannot compare and swap, so a write may, seldom and for a moment, undo a newer one. DNS
# UPDATE to the same server can; prefer it. Planner and janitor read it by DNS, and have no use for the key.
# [provider.weaker]
# kind = "powerdns"
# address = "127.0.0.1"
# zones = ["example.org"]
# url = "http://127.0.0.1:8081"       # this machine, or https:// with an IP address
# key_secret_file = "pdns-api.key"    # the value of api-key in pdns.conf, and nothing else

# Names at Amazon's Route 53; needs: pip install 'outlast[route53]'. Credentials come from boto3's usual chain.
# [provider.amazon]
# kind = "route53"
# zones = {"example.net" = "Z0123456789ABC"}   # each zone and its id
# timeout = "10s"                   # for one request with its repetitions
# wait_insync = "0s"                # how long a commit waits until all name servers have it, only to tell
# requests_per_second = 5           # this machine's share of the five that the account has
# watches = ["https://west.watch.example/evacuated"]   # tell its health checkers which regions are left: docs/ROUTE53.md

# Any provider of octoDNS; needs: pip install 'outlast[octodns]' and the provider's own package. The weakest of all: a write
# may be seen half done, or undo a newer one, until it is read back and repaired. Every read fetches the whole zone.
# [provider.weakest]
# kind = "octodns"
# class = "octodns_powerdns.PowerDnsProvider"   # as octoDNS's own configuration has it
# zones = ["example.info"]
# address = "192.0.2.54"              # an authoritative server: planner and janitor read there, without a credential
# timeout = "10s"                     # for a whole read or a whole transaction
# [provider.weakest.settings]         # what the class takes; secrets from {file = "..."} or {env = "..."} alone
# host = "192.0.2.54"
# api_key = {file = "pdns-api.key"}

# The probe that decides whether a target is healthy.
[health]
kind = "http"
path = "/health"
port = 80
# host = "db.example.com"           # the Host header; by default the endpoint's name
expect = [200, 399]                 # lowest and highest healthy status; redirects are not followed
interval = "1s"
timeout = "1s"                      # over connect, request and response head together
rise = 2                            # successes in a row until a target counts as healthy
fall = 3                            # failures in a row until it counts as unhealthy
flap_window = "10m"                 # a target that falls again within it must succeed twice as often to come back
max_signal_age = "15s"              # older signals decide nothing: the last plan stands
# upstreams = ["192.0.2.53"]         # who says what targets that are names resolve to; by default resolv.conf's servers
# place = "us-west-2"               # where this machine's prober stands: probers in two places outside a region that
                                    # all see it fail, and another one healthy, evacuate it in one step

[planner]
interval = "1s"
# bake = "5m"                       # an edit that takes addresses away from many endpoints goes to one of them first;
                                    # the others follow once all it publishes has been healthy for so long
# canary = "db.example.com"         # which one, if it is among them; by default the first by name that is probed

[enactor]
interval = "1s"
stand_back = "300ms"                # for each peer that is preferred for an endpoint
# copy = "enactor.copy"             # what the registry said last, for when it is down; else REALM.NAME.copy, here or in $STATE_DIRECTORY
# peers = ["enactor-a", "enactor-b", "enactor-c"]   # all enactors' names, so that they seldom collide

[janitor]
interval = "30s"
keep = 10                           # newest plans that stay whatever happens
grace = "10m"                       # younger plans stay too
wait = "1m"                         # between a plan's tombstone and its deletion

# Programs that resolve names through outlast read this section alone, and so does: outlast resolver ask NAME
# [resolver]
# upstreams = ["127.0.0.1:53"]        # whom to ask, in order, for every name that no zone below covers
# store = "resolver.known"            # keeps what is known over a restart
# [resolver.zones]
# "example.com" = ["192.0.2.53:53"]   # and nobody else is ever asked for these
# [resolver.names."*.example.com"]
# mode = "protect"                    # an empty answer does not take known addresses away; or "stale", "strict"
# verify = "tls:443"                  # how a kept address is checked first; or "tcp:PORT", or "none" if you own it
# keep = "24h"                        # for how long

# One table for each name to protect, and one list of addresses for each region.
[endpoint."db.example.com"]
ttl = "5s"
min_addresses = 1                   # no plan with fewer is built, stored, sent or applied
fail_open_below = 0.5               # share of a region's healthy targets below which all of them are published
                                    # (one target alone so stays, however sick, until its region is left: see place)
max_leave = 0.5                     # share of the targets that may leave for health ...
velocity_window = "1m"              # ... within this time; one may always leave
soak = "10s"                        # how long a newcomer must be healthy before it is published
# load = 300                        # what its targets must bear together, in the unit of their capacity: what evacuations
                                    # by hand leave can bear it, and too little is an alarm
# probed = false                    # publish every target, whatever the probes say

[endpoint."db.example.com".targets]
us-east-1 = ["192.0.2.1", {address = "192.0.2.2", zone = "b"}]   # beside zone: cloud = "aws", capacity = 100 (or 1)
us-west-2 = ["198.51.100.1"]

# Targets may be names, a load balancer's, but never beside addresses. One is published, as a CNAME: the first that is fit,
# until it no longer is. A name that resolves to nothing is not fit. A zone's own name cannot be a CNAME.
# [endpoint."api.example.com".targets]
# us-east-1 = ["lb-1.east.example.net"]
# us-west-2 = [{name = "lb-2.west.example.net", zone = "b"}]
"""
