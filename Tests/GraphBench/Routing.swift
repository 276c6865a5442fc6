import Blueprints
import EnvironmentGraph
import Foundation
import Gateway

/// A routing table of many overlays on one baseline of 200 services, each with one changed service.
///
/// Naively: one overlay more is the whole table compiled anew.
struct Routing {
    let overlays: Int

    private static let baseline = EnvironmentID(rawValue: "env-0000000000")

    private static func service(_ number: Int, port: Int) -> RoutedService {
        RoutedService(
            name: "service-\(number)", exposed: false, ready: true,
            ports: [RoutedPort(name: "http", transport: .http, host: "127.0.0.1", port: port)])
    }

    private static func overlay(_ number: Int) -> RoutedEnvironment {
        RoutedEnvironment(
            id: EnvironmentID(rawValue: "env-\(String(10_000_000_000 + number).dropFirst())"),
            name: "feature-\(number)",
            revision: 1, state: .serving, overlayID: "feature-\(number)", parent: baseline,
            services: [service(number % 200, port: 10_000 + number % 50_000)])
    }

    private static func table(_ overlays: Int) -> RoutingTable {
        var environments = [
            RoutedEnvironment(
                id: baseline, name: "shop", revision: 1, state: .serving,
                services: (0..<200).map { service($0, port: 1000 + $0) })
        ]
        environments.reserveCapacity(overlays + 1)
        for number in 1...overlays { environments.append(overlay(number)) }
        return RoutingTable(version: 1, environments: environments)
    }

    func run() throws {
        let start = resident()
        var routed = Self.table(overlays)
        let told = resident()
        let clock = processorTime()
        var routes = Routes(routed)
        let built = processorTime() - clock
        let compiled = resident()
        let prefix = "\(overlays) overlays "
        tell(prefix + "told MB", (told - start) / 1e6)
        tell(prefix + "compiled MB", (compiled - told) / 1e6)
        tell(prefix + "built ms", built)
        tell(prefix + "lookup ns", try lookup(routes, among: overlays))
        tell(prefix + "busy lookup ns", try lookup(routes, among: min(1_000, overlays)))
        try changes(&routes, &routed, prefix)
        tell(prefix + "lookup after changes ns", try lookup(routes, among: overlays))
    }

    /// One overlay is added and taken away, many times; the naive way does both to the whole.
    private func changes(_ routes: inout Routes, _ routed: inout RoutingTable, _ prefix: String) throws {
        var version = routed.version
        var adding: [Double] = []
        var removing: [Double] = []
        for number in 0..<200 {
            let extra = Self.overlay(overlays + 1 + number)
            // What changes is known to whoever changes it; finding it again is no part of this.
            let add = RoutingDelta(base: version, version: version + 1, environments: [extra])
            let remove = RoutingDelta(base: version + 1, version: version + 2, removed: [extra.id])
            var start = processorTime()
            guard let with = routes.changed(by: add) else { throw BenchFailure(message: "it was not added") }
            adding.append(processorTime() - start)
            guard with.count == overlays + 2 else { throw BenchFailure(message: "\(with.count) environments") }
            start = processorTime()
            guard let without = with.changed(by: remove) else { throw BenchFailure(message: "it was not removed") }
            removing.append(processorTime() - start)
            routes = without
            version += 2
        }
        adding.sort()
        removing.sort()
        tell(prefix + "added ms", adding[adding.count / 2])
        tell(prefix + "added most ms", adding[adding.count - 1])
        tell(prefix + "removed ms", removing[removing.count / 2])
        routed.version = version
        let whole = routed
        let routes = routes
        tell(prefix + "recompiled ms", milliseconds(3) { _ = routes.replaced(by: whole) }.median)
    }

    /// Requests of so many overlays, spread over all of them, in turn, for their own and for inherited services.
    private func lookup(_ routes: Routes, among busy: Int) throws -> Double {
        let count = 1_000_000
        guard let root = routes.environment(named: Array("shop".utf8)) else {
            throw BenchFailure(message: "there is no baseline")
        }
        // One after another, as they stand in what was received; so the names themselves cost nothing to come by.
        var text: [UInt8] = []
        var places: [(context: Range<Int>, service: Range<Int>)] = []
        for index in 0..<min(busy, 65_536) {
            // A stride that no cache foresees, over all overlays.
            let number = 1 + (index &* 7_919) % overlays
            let start = text.count
            text += Array("feature-\(number)".utf8)
            let middle = text.count
            text += Array("service-\(index % 2 == 0 ? number % 200 : (number + 1) % 200)".utf8)
            places.append((start..<middle, middle..<text.count))
        }
        var found = 0
        var asked = 0
        let start = processorTime()
        text.withUnsafeBytes { text in
            while asked < count {
                for place in places {
                    let context = UnsafeRawBufferPointer(rebasing: text[place.context])
                    let service = UnsafeRawBufferPointer(rebasing: text[place.service])
                    if routes.provider(of: service, context: context, root: root) != nil { found += 1 }
                }
                asked += places.count
            }
        }
        let time = (processorTime() - start) * 1e6
        guard found == asked else { throw BenchFailure(message: "\(asked - found) were not found") }
        return time / Double(asked)
    }
}
