/// Blueprints: located YAML in, a validated ``BlueprintSpec`` out, with every problem of the file at its place.
///
/// Bytes pass through five stages, each a type of its own:
///
/// 1. `BlueprintReader` → ``LocatedValue``: YAML (JSON is YAML) within limits. Every key and value knows its file, line
///    and column; lists of named things are brought into one form, so that layers can be merged by name.
/// 2. `LayerAssembly` → ``LayerStack``: the file with every layer that it extends, each once.
/// 3. `Composition`: layers on each other, and an overlay on its parent's tree. Every value keeps what it overrode.
///    Associative.
/// 4. `BlueprintChecker` → ``BlueprintSpec``: types, names, references, dependencies; normal form. Nothing is thrown:
///    problems are collected, so one run shows them all.
/// 5. `Support`: what the grammar knows and this version does not do is refused as `not_supported_yet`.
///
/// The module is pure: it reads no file, no environment variable and no clock. Layers are asked for; which other files and
/// variables a client must read is an answer (``Blueprint/referencedInputs(_:)``). It does not know what runs a Blueprint.
package enum Blueprint {
    /// Reads one file. The document is `nil` where the text is not YAML or is past a limit of ``ReaderLimits``.
    ///
    /// - Parameters:
    ///   - file: as diagnostics shall show it.
    ///   - folder: absolute; what relative paths in the file are relative to.
    package static func read(
        _ bytes: [UInt8], file: String, folder: String, limits: ReaderLimits = ReaderLimits()
    ) -> (document: BlueprintDocument?, diagnostics: [Diagnostic]) {
        let reader = BlueprintReader(file: SourceFile(name: file, folder: folder), limits: limits)
        let (value, diagnostics) = reader.read(bytes)
        let findings = Findings(diagnostics)
        let document = value.map { BlueprintDocument(value: NamedThings(findings: findings).canonical($0)) }
        return (document, findings.diagnostics)
    }

    /// Composes, validates and normalises one file by itself; what it extends is missing.
    package static func check(
        _ document: BlueprintDocument, over parent: BlueprintDocument? = nil, mode: EnvironmentMode? = nil,
        unbuilt: Diagnostic.Severity = .error
    ) -> CheckedBlueprint {
        check(assemble(document) { _ in .elsewhere }, over: parent, mode: mode, unbuilt: unbuilt)
    }

    /// Composes, validates and normalises.
    ///
    /// - Parameters:
    ///   - stack: the file and what it extends. Where layers are missing, what may be in them is not missed.
    ///   - parent: the composed document of an overlay's parent. Only its `services` are inherited.
    ///   - mode: of the environment that shall be made; `nil` to go by the Blueprint's `routing.mode`. `.overlay`
    ///     without a parent is a check of the overlay's own file: what may be in the parent is not missed.
    ///   - isLayer: it is to be registered, and is a part of whatever extends it.
    ///   - unbuilt: `.error` refuses what this version cannot run (`not_supported_yet`), as whoever makes an environment
    ///     must; `.warning` judges the Blueprint alone.
    package static func check(
        _ stack: LayerStack, over parent: BlueprintDocument? = nil, mode: EnvironmentMode? = nil, isLayer: Bool = false,
        unbuilt: Diagnostic.Severity = .error
    ) -> CheckedBlueprint {
        let findings = Findings(stack.diagnostics)
        let own = stack.composed
        let written = own["routing"]?["mode"]?.text
        let isOverlay = parent != nil || (mode?.rawValue ?? written) == EnvironmentMode.overlay.rawValue
        let isPartial = (isOverlay && parent == nil) || !stack.isWhole || isLayer
        let inherited = parent.map(services)
        checkRemovals(stack, over: inherited, isPartial, findings)
        let known = Set((inherited?["services"]?.items ?? []).compactMap(\.name))
        var removed: [String: SourceLocation] = [:]
        for item in own["services"]?.items ?? [] where item.isRemoval {
            if let name = item.name, isPartial || known.contains(name) { removed[name] = item.location }
        }
        let whole = inherited.map { Composition.compose(own, over: $0) } ?? own
        let (composed, removals) = Composition.strippedWithRemovals(whole)
        let checker = BlueprintChecker(
            findings: findings, mode: mode, isPartial: isPartial, removed: removed, unbuilt: unbuilt)
        let spec = checker.check(composed)
        // What a parent's or a registered layer's file is warned of was said when that was checked.
        let ownFiles = Set(stack.layers.map(\.value.location.file).filter { $0.origin == nil }.map(\.shown))
        let diagnostics = findings.diagnostics.filter { diagnostic in
            diagnostic.severity == .error || ownFiles.contains(diagnostic.file)
        }
        return CheckedBlueprint(
            spec: findings.hasErrors ? nil : spec,
            composed: BlueprintDocument(value: composed, removals: kept(removals, of: parent, in: composed)),
            removedServices: removed.keys.sorted(), diagnostics: diagnostics)
    }

    /// Each layer over all that is below it.
    private static func checkRemovals(
        _ stack: LayerStack, over inherited: LocatedValue?, _ isPartial: Bool, _ findings: Findings
    ) {
        let check = Removals(findings: findings)
        guard stack.layers.count > 1 else {
            return check.check(stack.document.value, over: inherited, isPartial: isPartial)
        }
        var below = inherited
        for layer in stack.layers {
            check.check(layer.value, over: below, isPartial: isPartial)
            let part = LayerStack.part(layer.value)
            below = below.map { Composition.compose(part, over: $0) } ?? part
        }
    }

    /// With what the parent's own removals took away, as far as it is not there again.
    private static func kept(
        _ removals: [BlueprintDocument.Removal], of parent: BlueprintDocument?, in composed: LocatedValue
    ) -> [BlueprintDocument.Removal] {
        let inherited = (parent?.removals ?? []).filter { removal in
            guard removal.path.first == "services", composed.value(at: removal.path) == nil else { return false }
            return !removals.contains { removal.path.starts(with: $0.path) }
        }
        return inherited + removals
    }

    /// Only the services; everything else at the top level is the overlay's own.
    private static func services(of parent: BlueprintDocument) -> LocatedValue {
        var root = parent.value
        root.content = .mapping(root.entries.filter { $0.key == "services" })
        return root
    }
}
