#!/bin/sh
# Made by provision/compose/render.ts; change it there and run node provision/compose/main.ts.
set -eu
exec java @/etc/ericht/jvm.options -javaagent:"$(echo /opt/cassandra/lib/jamm-*.jar)" \
  -cp '/etc/ericht:/opt/cassandra/lib/*' org.apache.cassandra.service.CassandraDaemon
