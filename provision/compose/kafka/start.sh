#!/bin/sh
# Made by provision/compose/render.ts; change it there and run node provision/compose/main.ts.
set -eu
quiet=-Dorg.slf4j.simpleLogger.defaultLogLevel=warn
java -Xmx128m $quiet -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format --ignore-formatted \
  --cluster-id erichtComposeCluster1w --config /etc/ericht/server.properties
exec java -Xms256m -Xmx512m -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:+ExitOnOutOfMemoryError $quiet \
  -cp '/opt/kafka/libs/*' kafka.Kafka /etc/ericht/server.properties
