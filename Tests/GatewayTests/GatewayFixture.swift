import Blueprints
import EnvironmentGraph
import Foundation
import Logging

@testable import Gateway

/// A data plane with real sockets for one test, and the table that it routes by.
final class GatewayFixture: Sendable {
    struct Reply: Sendable {
        let status: Int
        /// In lower case.
        let head: String
        let body: String

        func field(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.hasPrefix(name + ":") }
                .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    let plane: DataPlane
    let edgePort: Int

    private let identities: TLSIdentities?
    /// What the gateway says of its certificate.
    var problem: String? { identities?.problem }

    private init(_ plane: DataPlane, edgePort: Int, _ identities: TLSIdentities?) {
        self.plane = plane
        self.identities = identities
        self.edgePort = edgePort
    }

    static func with(
        _ table: RoutingTable = RoutingTable(), limits: GatewayLimits = GatewayLimits(), loops: Int = 2,
        tls: TLSSettings = .off, spansFolder: String? = nil, exporter: OTLPExporter? = nil,
        _ body: (GatewayFixture) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test")
        let identities =
            tls == .off ? nil : try TLSIdentities(tls, protocols: LoopPart.protocols, logger: logger)
        let plane = DataPlane(
            loops: loops, limits: limits, identities: identities, spansFolder: spansFolder, exporter: exporter,
            logger: logger)
        do {
            let edge = try await plane.openEdge(host: "127.0.0.1", port: 0)
            let fixture = GatewayFixture(plane, edgePort: edge, identities)
            try await fixture.apply(table)
            try await body(fixture)
        } catch {
            await plane.shutDown()
            throw error
        }
        await plane.shutDown()
    }

    func apply(_ table: RoutingTable) async throws {
        for result in await plane.apply(table) ?? [] where result.error != nil {
            throw RawSocket.Failure(description: "listener \(result.port): \(result.error ?? "")")
        }
    }

    /// Sends one request to `port` with `connection: close` and reads its answer.
    func get(_ port: Int, host: String = "shop", _ fields: [String] = []) async throws -> Reply {
        let lines = (["GET / HTTP/1.1", "host: \(host)", "connection: close"] + fields).joined(separator: "\r\n")
        return try await send(port, lines + "\r\n\r\n")
    }

    /// Sends bytes as they are and reads until the gateway closes.
    func send(_ port: Int, _ text: String) async throws -> Reply {
        try await onThread {
            let socket = try RawSocket.connect(port)
            try socket.send(text)
            return Self.parse(socket.receiveAll())
        }
    }

    static func parse(_ text: String) -> Reply {
        let parts = text.components(separatedBy: "\r\n\r\n")
        let head = parts.first ?? ""
        let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return Reply(
            status: status, head: head.lowercased(), body: parts.dropFirst().joined(separator: "\r\n\r\n"))
    }

    /// Reads one response with `content-length` from a connection that stays open.
    static func readResponse(_ socket: RawSocket) -> Reply? {
        guard let head = socket.receive(until: "\r\n\r\n") else { return nil }
        let reply = parse(head)
        let length = reply.field("content-length").flatMap { Int($0) } ?? 0
        return Reply(
            status: reply.status, head: reply.head,
            body: String(decoding: socket.receive(exactly: length), as: UTF8.self))
    }
}

/// A shop: a baseline that runs everything, an overlay on it, and an overlay on that.
struct Shop {
    static let baseline = EnvironmentID(rawValue: "env-shop")
    static let refunds = EnvironmentID(rawValue: "env-refunds")
    static let child = EnvironmentID(rawValue: "env-child")

    var table: RoutingTable

    /// The copies by `service@environment`, each with its port.
    init(_ copies: [String: Int], version: UInt64 = 1) {
        func services(of environment: String) -> [RoutedService] {
            copies.sorted { $0.key < $1.key }.compactMap { key, port in
                let parts = key.split(separator: "@")
                guard parts[1] == environment else { return nil }
                return Self.service(String(parts[0]), port)
            }
        }
        table = RoutingTable(
            version: version,
            environments: [
                RoutedEnvironment(
                    id: Self.baseline, name: "shop", revision: 12, state: .serving, services: services(of: "shop")),
                RoutedEnvironment(
                    id: Self.refunds, name: "refunds-env", revision: 3, state: .serving, overlayID: "feat-refunds",
                    parent: Self.baseline, services: services(of: "refunds-env")),
                RoutedEnvironment(
                    id: Self.child, name: "child-env", revision: 1, state: .serving, overlayID: "feat-child",
                    parent: Self.refunds, services: services(of: "child-env")),
            ])
    }

    /// With one service, `calls@shop`.
    init(calls transport: PortProtocol, port: Int) {
        self.init([:])
        let ports = [RoutedPort(name: "p", transport: transport, host: "127.0.0.1", port: port)]
        table.environments[0].services = [RoutedService(name: "calls", exposed: true, ready: true, ports: ports)]
    }

    static func service(_ name: String, _ port: Int, ready: Bool = true) -> RoutedService {
        RoutedService(
            name: name, exposed: true, ready: ready,
            ports: [RoutedPort(name: "http", transport: .http, host: "127.0.0.1", port: port)])
    }

    /// A listener of `environment` for `service`; returns its port.
    mutating func listen(
        _ environment: EnvironmentID, _ service: String, caller: RoutedListener.Caller = .edge, isTCP: Bool = false
    ) throws -> Int {
        let port = try freePort()
        table.listeners.append(
            RoutedListener(port: port, environment: environment, caller: caller, service: service, isTCP: isTCP))
        return port
    }
}
