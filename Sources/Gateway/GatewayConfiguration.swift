import Foundation

/// What `microstax gateway` is started with.
package struct GatewayConfiguration: Sendable {
    /// State folder of this gateway alone: its control socket and its last good table.
    package var folder: String
    /// A loopback address.
    package var edgeHost: String
    /// nil: 7080, or the next free one if that is taken. A port that is set and taken is an error; 0 is any free one.
    package var edgePort: Int?
    /// Event loops.
    package var loops: Int
    /// Version of the product, for `status`.
    package var productVersion: String
    package var limits: GatewayLimits
    package var tls: TLSSettings
    /// Where spans are sent as well; the server may name another one later.
    package var otlp: OTLPTarget?
    /// Takes the place of the gateway that serves the folder, with its sockets and without a refused connection. Where none
    /// does, this is a start like any other.
    package var replaces = false
    /// Where `/ready`, `/health` and `/metrics` are answered as well, on 127.0.0.1; nil: on the control socket alone.
    package var adminPort: Int?
    /// Whether a standalone gateway opens the listeners of its tables, which need a network namespace of its own: on the control
    /// plane's machine they are another gateway's.
    package var opensListeners = true

    package static let defaultEdgePort = 7080

    package init(
        folder: String, edgeHost: String = "127.0.0.1", edgePort: Int? = nil,
        loops: Int = ProcessInfo.processInfo.activeProcessorCount, productVersion: String = "",
        limits: GatewayLimits = GatewayLimits(), tls: TLSSettings = .off, otlp: OTLPTarget? = nil
    ) {
        self.otlp = otlp
        self.tls = tls
        self.folder = folder
        self.edgeHost = edgeHost
        self.edgePort = edgePort
        self.loops = max(1, loops)
        self.productVersion = productVersion
        self.limits = limits
    }

    /// The control socket in a gateway's folder.
    package static func socketPath(inFolder folder: String) -> String { folder + "/gateway.sock" }
    static func spansPath(inFolder folder: String) -> String { folder + "/spans" }
    /// Where the next gateway on the folder asks for the sockets.
    static func handoverPath(inFolder folder: String) -> String { folder + "/sockets.sock" }
    static func tablePath(inFolder folder: String) -> String { folder + "/table.json" }
}
