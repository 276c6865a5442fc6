/// The data plane: it accepts requests, finds out whose copy of a service answers, and passes bytes on.
///
/// It is fed `RoutingTable`s and knows no store, no runtime and no Blueprint. A table is compiled once
/// (`CompiledTable`) and then never changes; every event loop has a `Worker` that holds the current one, so a request
/// takes no lock. An `Exchange` is one client's connection: it parses, decides each request by itself, and relays both
/// ways. It speaks to sockets only through `Link`, which NIO implements (`LinkHandler`), so that the wire format, the
/// decisions and the event loop can be changed one at a time.
///
/// `GatewayProcess` is what `microstax gateway` runs: listeners, the table on disk, and the control socket;
/// `GatewayControl` is the server's end of that socket.
///
/// Settings of a lineage (`headerName`, `propagateHeader`, `onUnknownContext`) are those of its root, the baseline: a
/// request's carriers must be readable before anybody knows which overlay it belongs to.
package enum Gateway {}
