import API
import Blueprints
import Dispatch
import EnvironmentGraph
import Gateway

extension EnvironmentOperations {
    /// Traces with a hop from the environment's addresses, in its context, or answered by its copies; newest first.
    func traces(of named: String, _ query: [String: String]) async throws -> [TraceView] {
        let picture = try await picture(of: named)
        var search = TraceQuery(environment: picture.record.id)
        search.limit = try APIHandler.number("limit", query) ?? 50
        guard (1...1000).contains(search.limit) else {
            throw APIProblem(.invalidRequest, "limit is a number from 1 to 1000")
        }
        search.since = try query["since"].map { try APIHandler.time($0) * 1_000_000 }
        search.services = (query["service"] ?? "").split(separator: ",").map(String.init)
        search.minDuration = try APIHandler.number("minDurationMilliseconds", query).map { Int64($0) * 1_000_000 }
        switch query["leaks"] {
        case nil, "false": break
        case "true": search.onlyLeaks = true
        default: throw APIProblem(.invalidRequest, "leaks is true or false")
        }
        if let text = query["status"] {
            guard let status = TraceQuery.Status(text) else {
                throw APIProblem(.invalidRequest, "status is a number such as 500, 5xx, or error")
            }
            search.status = status
        }
        let headerName = picture.headerName
        return await find(search).map { TraceView($0, headerName: headerName, showsHops: false) }
    }

    /// One trace with its hops.
    ///
    /// - Parameter id: or the beginning of one.
    func trace(_ id: String, of named: String) async throws -> TraceView {
        guard let prefix = TraceKey.Prefix(id) else {
            throw APIProblem(
                .invalidRequest, "\(shortened(id)) is no trace id: it has up to 32 hexadecimal digits",
                hint: "microstax env traces \(named)")
        }
        let picture = try await picture(of: named)
        var search = TraceQuery(environment: picture.record.id)
        search.prefix = prefix
        // A whole id is looked for no further than where it is found.
        search.limit = id.utf8.count == 32 ? 1 : 10
        let found = await find(search)
        guard let trace = found.first else {
            throw APIProblem(
                .notFound, "there is no trace \(id) of \(named), or it is no longer kept",
                hint: "microstax env traces \(named)")
        }
        guard found.count == 1 else {
            throw APIProblem(
                .conflict, "several traces begin with \(id)",
                hint: "there is: " + found.map(\.key.hex).joined(separator: ", "))
        }
        return TraceView(trace, headerName: picture.headerName, showsHops: true)
    }

    /// Reading files keeps a thread busy: not one of Swift's, of which there are few.
    private func find(_ search: TraceQuery) async -> [Trace] {
        let folder = await gateway.spans()
        return await withCheckedContinuation { continuation in
            DispatchQueue(label: "microstax.traces").async {
                continuation.resume(returning: TraceSearch.run(search, in: folder))
            }
        }
    }
}

extension EnvironmentPicture {
    /// The header that carries the context, as the lineage's baseline says.
    fileprivate var headerName: String {
        lineage.environments.last?.spec.routing.headerName ?? record.spec.routing.headerName
    }
}
