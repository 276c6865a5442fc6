import API
import APIClient
import ArgumentParser
import Commands
import ControlPlane
import Foundation
import Logging
import Orchestration
import ProcessRuntime
import Storage

/// `microstax serve`: the control plane of one state folder.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the local server; other commands start it where none runs.",
        discussion: """
            The server owns the state folder (MICROSTAX_HOME); services and their addresses get ports from MICROSTAX_PORTS
            (20000-31999). Ending the server stops no service and no request; --stop ends the gateway as well, so that
            addresses are refused until the next command starts both again.

            EXAMPLES
              microstax serve                 # in the foreground, until Ctrl-C
              microstax serve --detach        # in the background; returns when it answers
              microstax serve --stop          # end the server and the gateway; services go on
              microstax serve --log-format json --log-level debug
              MICROSTAX_API_KEY=msx_... microstax serve --listen 127.0.0.1:7070
            """)

    @Flag(help: "Run in the background and return when it answers.")
    var detach = false

    @Flag(help: "End the server of this state folder and its gateway.")
    var stop = false

    @Option(help: "Also serve TCP at host:port; needs a token of at least 20 characters in MICROSTAX_API_KEY.")
    var listen: String?

    @Option(help: "The shared port for host names (default: 7080, or the next that is free).")
    var edgePort: Int?

    @OptionGroup
    var tls: TLSOptions

    @OptionGroup
    var otlp: OTLPOptions

    @Flag(help: "Let everybody read /metrics at --listen, without the token.")
    var openMetrics = false

    @Option(help: "How log lines are written: text or json (default: MICROSTAX_LOG_FORMAT, else text).")
    var logFormat: LogRendering?

    @Option(help: "The least that is logged: trace, debug, info, notice, warning, error, critical (default: info).")
    var logLevel: Logger.Level?

    @Option(help: ArgumentHelp("The log of a server in the background.", visibility: .hidden))
    var logFile: String?

    func run() async throws {
        let folder = try StateFolder(environment: ProcessInfo.processInfo.environment).path
        if stop { return try await ServerProcess(folder: folder).stop() }
        let collector = try otlp.target()
        if detach { return try await ServerProcess(folder: folder).detach(arguments: detachedArguments) }
        var configuration = ServerConfiguration(
            folder: folder, executable: ServerProcess.executable, listener: try listener(), edgePort: edgePort,
            ports: try ports(), version: productVersion)
        let rendering = try logFormat ?? Self.variable("MICROSTAX_LOG_FORMAT") ?? .text
        ServerLog.start(
            level: try logLevel ?? Self.variable("MICROSTAX_LOG_LEVEL") ?? .info, rendering: rendering, file: logFile,
            now: Outside.real.now)
        let manager = ServiceManager.take()
        configuration.opensMetrics = openMetrics
        configuration.region = ProcessInfo.processInfo.environment["MICROSTAX_REGION"].flatMap { $0.isEmpty ? nil : $0 }
        configuration.otlp = collector
        configuration.edgeTLS = tls.settings(otherwise: configuration.edgeTLS)
        if let watchdog = manager.watchdog { configuration.pulse = min(.seconds(5), watchdog / 4) }
        let log = Logger(label: "server")
        let server = try Server(configuration, outside: .real, log: log)
        try await Interruption.run {
            try await server.run(manager: manager) {
                if rendering == .json { return log.info("serving", metadata: ["folder": "\(folder)"]) }
                FileHandle.standardError.write(Data("microstax \(productVersion) serves \(folder)\n".utf8))
            }
        }
    }

    private var detachedArguments: [String] {
        var arguments: [String] = []
        if let listen { arguments += ["--listen", listen] }
        if let edgePort { arguments += ["--edge-port", "\(edgePort)"] }
        arguments += tls.arguments + otlp.arguments
        if openMetrics { arguments += ["--open-metrics"] }
        if let logFormat { arguments += ["--log-format", logFormat.rawValue] }
        if let logLevel { arguments += ["--log-level", logLevel.rawValue] }
        return arguments
    }

    /// One of the words that `Word` knows; `nil` where the variable is not set.
    private static func variable<Word: RawRepresentable & CaseIterable>(_ name: String) throws -> Word?
    where Word.RawValue == String {
        guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else { return nil }
        guard let word = Word(rawValue: text) else {
            throw ValidationError("\(name) is one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    /// `MICROSTAX_PORTS`, such as `20000-31999`.
    private func ports() throws -> ClosedRange<Int> {
        guard let text = ProcessInfo.processInfo.environment["MICROSTAX_PORTS"], !text.isEmpty else {
            return PortAllocator.defaultRange
        }
        let numbers = text.split(separator: "-").compactMap { Int($0) }
        guard numbers.count == 2, numbers[0] >= 1024, numbers[0] <= numbers[1], numbers[1] <= 65535 else {
            throw ValidationError("MICROSTAX_PORTS is a range such as 20000-31999, within 1024-65535")
        }
        return numbers[0]...numbers[1]
    }

    private func listener() throws -> ServerConfiguration.Listener? {
        guard let listen else { return nil }
        guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]),
            (0...65535).contains(port), colon != listen.startIndex
        else { throw ValidationError("--listen takes host:port, such as 127.0.0.1:7070") }
        let token = ProcessInfo.processInfo.environment["MICROSTAX_API_KEY"] ?? ""
        guard token.hasPrefix("msx_"), token.utf8.count >= 20 else {
            throw ValidationError(
                "--listen needs a token: set MICROSTAX_API_KEY to msx_ and at least 16 more characters")
        }
        return ServerConfiguration.Listener(host: String(listen[..<colon]), port: port, token: token)
    }
}

extension LogRendering: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
