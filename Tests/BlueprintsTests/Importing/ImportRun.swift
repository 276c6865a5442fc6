import Blueprints

/// A Compose file that is imported, with files beside it.
struct ImportRun {
    var imported: ImportedBlueprint?
    var diagnostics: [Diagnostic]
    var spec: BlueprintSpec?

    init(_ text: String, beside: [String: String] = [:], options: ImportOptions = ImportOptions(), over: [String] = [])
    {
        let files = [text] + over
        (imported, diagnostics) = Blueprint.importCompose(
            files.enumerated().map { index, text in
                ComposeFile(
                    name: index == 0 ? "compose.yaml" : "over\(index).yaml", folder: "/projects/shop",
                    bytes: Array(text.utf8))
            }, options: options,
            load: { path in
                let folder = "/projects/shop/"
                guard path.hasPrefix(folder) else { return nil }
                return beside[String(path.dropFirst(folder.count))].map { Array($0.utf8) }
            })
        guard let imported else { return }
        let (document, _) = Blueprint.read(Array(imported.text.utf8), file: "blueprint.yaml", folder: "/projects/shop")
        spec = document.flatMap { Blueprint.check($0, mode: .baseline, unbuilt: .warning).spec }
    }

    /// `kind path` of every note.
    var notes: [String] { (imported?.notes ?? []).map { "\($0.kind.rawValue) \($0.path)" } }

    func service(_ name: String) -> ServiceSpec? { spec?.service(name) }
}
