import API

extension APIClient {
    /// What a Blueprint comes to with registered layers, and over a parent where the request names one.
    package func renderBlueprint(_ request: CreateRequest, provenance: Bool) async throws -> RenderedView {
        try await call(.renderBlueprint, query: [("provenance", provenance ? "true" : nil)], body: request)
    }

    package func applyLayer(_ request: LayerRequest) async throws -> AppliedLayerView {
        try await call(.applyLayer, body: request)
    }

    /// The newest revision of each, by name.
    package func layers() async throws -> [LayerView] { try await list(.listLayers) }

    /// - Parameter layer: a name, or `name@revision`.
    package func layer(_ layer: String) async throws -> LayerView { try await call(.getLayer, layer) }

    /// Oldest first.
    package func layerHistory(of name: String) async throws -> [LayerView] { try await list(.layerHistory, name) }

    /// - Returns: the newest of the revisions that are removed, or would be.
    package func deleteLayer(_ name: String, dryRun: Bool = false) async throws -> LayerView {
        try await call(.deleteLayer, name, query: [("dryRun", dryRun ? "true" : nil)])
    }
}
