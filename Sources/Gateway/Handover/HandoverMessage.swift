/// What two gateways of one folder say to each other. The newer one speaks first.
///
/// ```
/// newer   take                        older   sockets … sockets, offered
/// newer   ready                       older   released   (it accepts no more, and its control socket is free; with its
///                                             ``TraceRegion``)
/// newer   table, as often as need be  older   applied
/// newer   end                         older   drains and ends
/// ```
///
/// A gateway of another folder that follows the same control plane says `traces`, is told the same with the ``TraceRegion``, and
/// keeps the connection, whose end tells it to ask again. As long as it has it, it is one of the ``Followers``.
///
/// Until `ready` the older one serves as before; if the newer one goes away or takes too long, it simply goes on.
struct HandoverMessage: Codable, Sendable {
    enum Kind: String, Codable, Sendable {
        case take, sockets, offered, ready, released, table, applied, end, traces
    }

    struct Socket: Codable, Sendable {
        var host: String
        var port: Int
        /// The shared port for host names.
        var isEdge: Bool
    }

    var kind: Kind
    /// In the order of the descriptors that come with them.
    var sockets: [Socket]?
    /// Of a table that is in the folder's file.
    var tableVersion: UInt64?
    /// Of the gateway that asks for traces: where its control socket is.
    var folder: String?

    init(_ kind: Kind, sockets: [Socket]? = nil, tableVersion: UInt64? = nil, folder: String? = nil) {
        self.folder = folder
        self.kind = kind
        self.sockets = sockets
        self.tableVersion = tableVersion
    }
}
