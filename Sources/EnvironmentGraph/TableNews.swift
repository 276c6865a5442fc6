/// What a control plane says to a gateway that follows it: the newest table, how to make it from the one that the gateway has,
/// or nothing.
package struct TableNews: Sendable, Hashable, Codable {
    /// Stands for the newest table of this run of the server; to be sent with the next question. `nil`: there is no table yet.
    package var cursor: String?
    package var table: RoutingTable?
    /// From the table of the cursor that was sent.
    package var delta: RoutingDelta?
    /// The control plane's own gateway, whose memory of traces is shared by whoever follows on the same machine.
    package var traces: TracePlace?

    package init(cursor: String? = nil, table: RoutingTable? = nil, delta: RoutingDelta? = nil) {
        self.cursor = cursor
        self.table = table
        self.delta = delta
    }
}
