import Gateway

/// How a server is to run.
package struct ServerConfiguration: Sendable {
    package struct Listener: Sendable {
        package var host: String
        package var port: Int
        /// Bearer token (`msx_…`) that every request must carry.
        package var token: String

        package init(host: String, port: Int, token: String) {
            self.host = host
            self.port = port
            self.token = token
        }
    }

    /// The state folder.
    package var folder: String
    /// This very program, for the processes that it starts.
    package var executable: String
    /// Beside the owner's Unix socket.
    package var listener: Listener?
    /// `nil`: 7080, or the next that is free.
    package var edgePort: Int?
    /// How the shared edge port speaks TLS.
    package var edgeTLS: TLSSettings
    /// Where the gateway sends its spans besides keeping them.
    package var otlp: OTLPTarget?
    /// What services and addresses get their ports from.
    package var ports: ClosedRange<Int>
    package var version: String
    /// Where this machine is, by the operator's own names; what `residency` is held against.
    package var region: String?
    /// Whether `GET /metrics` needs no token on TCP.
    package var opensMetrics = false
    /// How often each part of the server is asked whether it is alive.
    package var pulse = Duration.seconds(5)

    package init(
        folder: String, executable: String, listener: Listener? = nil, edgePort: Int? = nil,
        ports: ClosedRange<Int>, version: String
    ) {
        self.ports = ports
        self.folder = folder
        self.executable = executable
        self.listener = listener
        self.edgePort = edgePort
        edgeTLS = .localAuthority(folder: ServerFolder(existing: folder).authority)
        self.version = version
    }
}
