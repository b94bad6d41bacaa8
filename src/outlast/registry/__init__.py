"""Where plans live: adapters of the port `outlast.traffic.ports.Registry`, each in its module with what it alone needs."""
