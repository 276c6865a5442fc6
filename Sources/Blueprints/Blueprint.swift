/// Blueprints: located YAML in, a validated ``BlueprintSpec`` out, with every problem of the file at its place.
///
/// Bytes pass through four stages, each a type of its own:
///
/// 1. `BlueprintReader` → ``LocatedValue``: YAML (JSON is YAML) within limits. Every key and value knows its file, line
///    and column; lists of named things are brought into one form, so that layers can be merged by name.
/// 2. `Composition`: an overlay on its parent's tree. Every value keeps what it overrode. Associative.
/// 3. `BlueprintChecker` → ``BlueprintSpec``: types, names, references, dependencies; normal form. Nothing is thrown:
///    problems are collected, so one run shows them all.
/// 4. `Support`: what the grammar knows and this version does not do is refused as `not_supported_yet`.
///
/// The module is pure: it reads no file, no environment variable and no clock. Which files and variables a client must
/// read is an answer (``Blueprint/referencedInputs(_:)``). It does not know what runs a Blueprint.
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

    /// Composes, validates and normalises.
    ///
    /// - Parameters:
    ///   - parent: the composed document of an overlay's parent. Only its `services` are inherited.
    ///   - mode: of the environment that shall be made; `nil` to go by the Blueprint's `routing.mode`. `.overlay`
    ///     without a parent is a check of the overlay's own file: what may be in the parent is not missed.
    ///   - unbuilt: `.error` refuses what this version cannot run (`not_supported_yet`), as whoever makes an environment
    ///     must; `.warning` judges the Blueprint alone.
    package static func check(
        _ document: BlueprintDocument, over parent: BlueprintDocument? = nil, mode: EnvironmentMode? = nil,
        unbuilt: Diagnostic.Severity = .error
    ) -> CheckedBlueprint {
        let findings = Findings()
        let written = document.value["routing"]?["mode"]?.text
        let isOverlay = parent != nil || (mode?.rawValue ?? written) == EnvironmentMode.overlay.rawValue
        let isPartial = isOverlay && parent == nil
        let inherited = parent.map(services)
        let removedServices = Removals(findings: findings).check(
            document.value, over: inherited, isPartial: isPartial)
        let composed = Composition.stripped(
            inherited.map { Composition.compose(document.value, over: $0) } ?? document.value)
        var removed: [String: SourceLocation] = [:]
        for item in document.value["services"]?.items ?? [] where item.isRemoval {
            if let name = item.name { removed[name] = item.location }
        }
        let checker = BlueprintChecker(
            findings: findings, mode: mode, isPartial: isPartial, removed: removed, unbuilt: unbuilt)
        let spec = checker.check(composed)
        // What a parent's file is warned of was said when the parent was checked.
        let own = document.value.location.file.name
        let diagnostics = findings.diagnostics.filter { parent == nil || $0.severity == .error || $0.file == own }
        return CheckedBlueprint(
            spec: findings.hasErrors ? nil : spec, composed: BlueprintDocument(value: composed),
            removedServices: removedServices, diagnostics: diagnostics)
    }

    /// Only the services; everything else at the top level is the overlay's own.
    private static func services(of parent: BlueprintDocument) -> LocatedValue {
        var root = parent.value
        root.content = .mapping(root.entries.filter { $0.key == "services" })
        return root
    }
}
