import API
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

            EXAMPLES
              microstax gateway --folder /var/lib/microstax/gateway --port 7080
              microstax gateway --folder gw --tls-certificate chain.pem --tls-key key.pem
              microstax gateway --folder gw --replace    # a new program, or other options
            """)

    @Option(help: "Where its table and its control socket are.")
    var folder: String

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
    }

    func run() async throws {
        ServerLog.start(level: .info, rendering: .text, file: logFile, now: Outside.real.now)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        var configuration = GatewayConfiguration(
            folder: folder, edgePort: port, loops: loops ?? cores, productVersion: productVersion,
            tls: tls.settings(otherwise: tlsAuthority.map { .localAuthority(folder: $0) } ?? .off),
            otlp: try otlp.target())
        configuration.replaces = replace
        try await GatewayProcess.run(configuration) { status in
            FileHandle.standardError.write(Data("gateway \(status.pid) serves 127.0.0.1:\(status.edgePort)\n".utf8))
        }
    }
}
