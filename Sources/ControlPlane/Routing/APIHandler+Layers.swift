import API
import Blueprints
import HTTPTransport

extension APIHandler {
    /// The operations on layers, and on Blueprints that are no environments yet.
    func layers(_ call: APICall) async throws -> HTTPResponse {
        let subject = call.parameters.first ?? ""
        switch call.operation {
        case .applyLayer:
            try call.refuseParameters()
            let request = try call.decode(LayerRequest.self)
            guard request.folder.hasPrefix("/") else { throw APIProblem(.invalidRequest, "folder is an absolute path") }
            return try await operations.apply(request, call) { call.reply(data: $0) }
        case .getLayer:
            try call.refuseParameters()
            return call.reply(data: try await operations.layer(subject))
        case .layerHistory: return call.reply(data: try await operations.layerHistory(subject))
        case .deleteLayer:
            try call.refuseParameters(except: "dryRun")
            let dryRun = try call.flag("dryRun")
            return try await operations.deleteLayer(subject, dryRun: dryRun, call) { call.reply(data: $0) }
        case .renderBlueprint:
            try call.refuseParameters(except: "provenance")
            let request = try call.decode(CreateRequest.self)
            guard request.folder.hasPrefix("/") else { throw APIProblem(.invalidRequest, "folder is an absolute path") }
            return call.reply(data: try await operations.render(request, provenance: call.flag("provenance")))
        default:
            try call.refuseParameters(except: "limit", "cursor")
            let limit = try Self.number("limit", call.request.query) ?? 1000
            guard (1...1000).contains(limit) else {
                throw APIProblem(.invalidRequest, "limit is a number from 1 to 1000")
            }
            let page = try await operations.layers(limit: limit, cursor: call.request.query["cursor"])
            return call.reply(next: page.next, data: page.views)
        }
    }
}
