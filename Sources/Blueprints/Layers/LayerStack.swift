/// A Blueprint's file with every layer that it extends, directly or not.
package struct LayerStack: Sendable {
    /// Lowest first; the last is the file itself. Each layer is there once, above everything that it extends.
    package var layers: [BlueprintDocument]
    /// The registered layers among them, lowest first.
    package var origins: [SourceOrigin] = []
    /// What came along with registered layers, by absolute path.
    package var files: [String: String] = [:]
    /// Layers that could not be asked for; without them it is only a part.
    package var missing: [LayerMention] = []
    /// Of reading the layers and of finding them.
    package var diagnostics: [Diagnostic] = []

    /// One file for itself; what it extends is missing.
    package init(_ document: BlueprintDocument) {
        layers = [document]
    }

    /// Everything that is extended could be found and read.
    package var isWhole: Bool { missing.isEmpty && !diagnostics.contains { $0.severity == .error } }

    /// The registered layers that the file extends, itself or through another file, as they are written, sorted.
    package var registeredMentions: [String] {
        let own = layers.filter { $0.value.location.file.origin == nil }
        let texts = own.flatMap { $0.value["extends"]?.items ?? [] }.compactMap(\.text)
        return Set(texts.filter { !LayerMention.isPath($0) }).sorted()
    }

    /// The file itself.
    package var document: BlueprintDocument { layers[layers.count - 1] }

    /// All of them, composed: what the file comes to by itself. What removes something is still in it.
    var composed: LocatedValue {
        let own = Self.own(document.value)
        let lower = layers.dropLast().map { Self.part($0.value) }
        guard var result = lower.first else { return own }
        for layer in lower.dropFirst() { result = Composition.compose(layer, over: result) }
        return Composition.compose(own, over: result)
    }

    /// What a layer gives to those that extend it: all but its name and what it extends itself.
    static func part(_ layer: LocatedValue) -> LocatedValue { without(["name", "extends"], layer) }

    /// What the file itself says.
    static func own(_ file: LocatedValue) -> LocatedValue { without(["extends"], file) }

    private static func without(_ keys: Set<String>, _ value: LocatedValue) -> LocatedValue {
        guard case .mapping(let entries) = value.content, entries.contains(where: { keys.contains($0.key) }) else {
            return value
        }
        var value = value
        value.content = .mapping(entries.filter { !keys.contains($0.key) })
        return value
    }
}

extension Blueprint {
    /// Finds and reads everything that a file extends. Problems are diagnostics of the result, at the item of `extends`
    /// that names the layer, or at their place in the layer.
    ///
    /// - Parameters:
    ///   - document: as it was read.
    ///   - layer: the name under which the file is to be registered; `nil` for a Blueprint.
    ///   - find: what there is; asked once for each layer. A registered one without a revision means its newest.
    package static func assemble(
        _ document: BlueprintDocument, as layer: String? = nil, limits: LayerLimits = LayerLimits(),
        find: (LayerMention) throws -> LayerAnswer
    ) rethrows -> LayerStack {
        var assembly = LayerAssembly(limits: limits)
        if let layer { assembly.open(.registered(layer)) }
        try assembly.visit(document, find)
        var stack = LayerStack(document)
        stack.layers = assembly.layers
        stack.origins = assembly.origins
        stack.files = assembly.files
        stack.missing = assembly.missing
        stack.diagnostics = assembly.findings.diagnostics
        return stack
    }
}
