"""Where records live: adapters of the port `outlast.traffic.ports.Provider`, each in its module with what it alone needs."""
