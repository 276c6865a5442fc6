import API
import APIClient
import ArgumentParser
import ControlPlane
import Foundation
import Gateway
import Logging
import Orchestration

/// `microstax gateway`: the data plane, a process of its own that outlives the server.
struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway", abstract: "Run a gateway; the local server starts its own.",
        discussion: """
            It serves the last routing table that it was given, with or without a server, until SIGTERM.

            With --control-plane it stands alone: it follows the tables of a server that listens on TCP, wherever that runs, keeps
            the last one, and routes by host name. It answers /ready with 200 as soon as it has a table.

            EXAMPLES
              microstax gateway --folder /var/lib/microstax/gateway --port 7080
              microstax gateway --folder gw --tls-certificate chain.pem --tls-key key.pem
              microstax gateway --folder gw --replace    # a new program, or other options
              MICROSTAX_API_KEY=msx_... microstax gateway --control-plane http://127.0.0.1:7070 --admin-port 7081
            """)

    @Option(help: "Where its table and its control socket are (with --control-plane: MICROSTAX_HOME/standalone).")
    var folder: String?

    @Option(help: ArgumentHelp("The server whose tables are followed, as http://host:port.", valueName: "url"))
    var controlPlane: String?

    @Option(help: "Its token; better in MICROSTAX_API_KEY, which `ps` does not show.")
    var apiKey: String?

    @Option(help: "Answer /ready, /health and /metrics on this port of 127.0.0.1 as well.")
    var adminPort: Int?

    @Flag(help: "Open the tables' listeners too; only in a network namespace without the server's own gateway.")
    var listeners = false

    @Option(help: "The shared port for host names (default: 7080, or the next that is free).")
    var port: Int?

    @Option(help: "Event loops (default: one for each core).")
    var loops: Int?

    @Flag(help: "Take over from the gateway that serves the folder, without a refused connection.")
    var replace = false

    @OptionGroup
    var tls: TLSOptions

    @OptionGroup
    var otlp: OTLPOptions

    @Option(help: ArgumentHelp("The folder of the local authority that speaks for localhost.", visibility: .hidden))
    var tlsAuthority: String?

    @Option(help: ArgumentHelp("Where its log goes; bounded.", visibility: .hidden))
    var logFile: String?

    func validate() throws {
        if let loops, !(1...256).contains(loops) { throw ValidationError("--loops is from 1 to 256") }
        if let port, !(0...65535).contains(port) { throw ValidationError("--port is from 0 to 65535") }
        if let adminPort, !(1...65535).contains(adminPort) {
            throw ValidationError("--admin-port is from 1 to 65535")
        }
        if controlPlane == nil {
            if folder == nil { throw ValidationError("--folder is needed, or --control-plane") }
            if apiKey != nil || listeners {
                throw ValidationError("--api-key and --listeners belong to --control-plane")
            }
        }
    }

    func run() async throws {
        let source = try source()
        let folder = try folder ?? StateFolder(environment: ProcessInfo.processInfo.environment).path + "/standalone"
        ServerLog.start(level: .info, rendering: .text, file: logFile, now: Outside.real.now)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        var configuration = GatewayConfiguration(
            folder: folder, edgePort: port, loops: loops ?? cores, productVersion: productVersion,
            tls: tls.settings(otherwise: tlsAuthority.map { .localAuthority(folder: $0) } ?? .off),
            otlp: try otlp.target())
        configuration.replaces = replace
        configuration.adminPort = adminPort
        configuration.opensListeners = source == nil || listeners
        try await GatewayProcess.run(configuration, following: source) { status in
            FileHandle.standardError.write(Data("gateway \(status.pid) serves 127.0.0.1:\(status.edgePort)\n".utf8))
        }
    }

    private func source() throws -> ControlPlaneSource? {
        guard let controlPlane else { return nil }
        let key = apiKey ?? ProcessInfo.processInfo.environment["MICROSTAX_API_KEY"]
        return ControlPlaneSource(
            address: try ServerLocation.address(of: controlPlane, named: "--control-plane"),
            token: key == "" ? nil : key)
    }
}
