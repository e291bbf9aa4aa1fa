//! Default ports of well-known services. Pools leave them out, because a person who starts such a service by hand,
//! without portalloc, expects its default port to be free. A table, and nothing else.

use crate::port_set::{PortRange, PortSet};

/// A port, the service that uses it by default, and the source of this fact.
pub(crate) struct KnownPort {
    pub(crate) port: u16,
    pub(crate) service: &'static str,
}

const fn known(port: u16, service: &'static str) -> KnownPort {
    KnownPort { port, service }
}

/// Sources: the service's own documentation of its default port; for those marked (IANA), the Service Name and
/// Transport Protocol Port Number Registry. Inside the default pool the table is meant to be complete for what
/// developers commonly run; outside of it, it covers databases and tools that are common beside test suites.
pub(crate) const KNOWN_PORTS: &[KnownPort] = &[
    known(1433, "Microsoft SQL Server (IANA)"),
    known(1521, "Oracle Database"),
    known(2181, "ZooKeeper"),
    known(2375, "Docker (IANA)"),
    known(2376, "Docker over TLS (IANA)"),
    known(2379, "etcd clients (IANA)"),
    known(2380, "etcd peers (IANA)"),
    known(3306, "MySQL (IANA)"),
    known(3389, "Remote Desktop (IANA)"),
    known(4222, "NATS"),
    known(5000, "macOS AirPlay receiver"),
    known(5353, "multicast DNS (IANA)"),
    known(5432, "PostgreSQL (IANA)"),
    known(5672, "RabbitMQ, AMQP (IANA)"),
    known(5900, "VNC (IANA)"),
    known(6379, "Redis"),
    known(6443, "Kubernetes API server"),
    known(7000, "macOS AirPlay receiver"),
    known(7687, "Neo4j Bolt (IANA)"),
    known(8086, "InfluxDB"),
    known(8123, "ClickHouse HTTP"),
    known(8500, "Consul"),
    known(9042, "Cassandra"),
    known(9090, "Prometheus"),
    known(9092, "Kafka"),
    known(9200, "Elasticsearch"),
    known(11211, "memcached (IANA)"),
    known(15672, "RabbitMQ management"),
    known(20000, "DNP3 (IANA), Usermin"),
    known(22000, "Syncthing (IANA)"),
    known(24224, "Fluentd forward"),
    known(24800, "Synergy, Barrier"),
    known(25565, "Minecraft"),
    known(25672, "RabbitMQ between nodes"),
    known(26257, "CockroachDB"),
    known(26379, "Redis Sentinel"),
    known(26656, "CometBFT peers"),
    known(26657, "CometBFT RPC"),
    known(27015, "Steam game servers"),
    known(27017, "MongoDB (mongod)"),
    known(27018, "MongoDB (shard server)"),
    known(27019, "MongoDB (config server)"),
    known(27020, "MongoDB (mongocryptd)"),
    known(27036, "Steam client"),
    known(28015, "RethinkDB clients"),
    known(29015, "RethinkDB between nodes"),
    known(29092, "Kafka in its Docker examples"),
    known(33060, "MySQL X protocol (IANA)"),
    known(50051, "gRPC examples"),
];

/// The table as a set of ports.
pub(crate) fn known_ports() -> PortSet {
    KNOWN_PORTS.iter().map(|known| PortRange::one(known.port)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_distinct_and_named() {
        assert!(KNOWN_PORTS.windows(2).all(|pair| pair[0].port < pair[1].port));
        assert!(KNOWN_PORTS.iter().all(|known| known.port > 0 && !known.service.is_empty()));
        assert!(known_ports().contains(27017) && known_ports().contains(26379));
    }
}
