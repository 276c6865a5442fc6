import API
import APIClient
import Blueprints
import FoundationEssentials

/// A Blueprint, or a layer, as it came from a file or stdin, checked on this machine, with everything that it names read
/// in: the files that it extends, scripts, and the values of secrets.
struct BlueprintInput {
    enum Purpose: Sendable, Hashable {
        /// An environment of this mode, or of what the Blueprint says. An overlay's Blueprint is checked as the part that
        /// it is.
        case environment(EnvironmentMode?)
        /// A layer to register. Secrets are read by whoever extends it.
        case layer
    }

    /// As typed; `stdin` for `-`.
    let name: String
    /// Absolute; what relative paths in it mean.
    let folder: String
    /// Every problem that can be seen without a server, by position.
    private(set) var diagnostics: [Diagnostic] = []
    /// The registered layers that it extends, and that were not asked for yet.
    private(set) var missing: [LayerMention] = []

    private let purpose: Purpose
    private let unbuilt: Diagnostic.Severity
    private let bytes: [UInt8]
    private let written: BlueprintDocument?
    private let problemsOfReading: [Diagnostic]
    private var checked: CheckedBlueprint?
    private var inputs = ReadInputs()
    /// The files that it extends, by absolute path.
    private var extended: [String: LayerAnswer] = [:]
    private var registered: [LayerMention: LayerAnswer] = [:]

    /// - Parameters:
    ///   - path: `-` reads stdin, and this folder is the Blueprint's.
    ///   - unbuilt: how what this version cannot run is reported.
    init(path: String, _ purpose: Purpose, unbuilt: Diagnostic.Severity = .error) throws {
        self.unbuilt = unbuilt
        let here = FileManager.default.currentDirectoryPath
        if path == "-" {
            name = "stdin"
            folder = here
        } else {
            name = path
            let absolute = path.hasPrefix("/") ? path : here + "/" + path
            let parent = URL(filePath: absolute).standardized.deletingLastPathComponent().path
            folder = parent.count > 1 && parent.hasSuffix("/") ? String(parent.dropLast()) : parent
        }
        do {
            bytes = try path == "-" ? InputFile.readStandardInput() : InputFile.read(path)
        } catch {
            throw CommandFailure(.invalidInput, "cannot read \(name.visible): \(error.message)")
        }
        self.purpose = purpose
        (written, problemsOfReading) = Blueprint.read(bytes, file: name, folder: folder)
        check()
    }

    private mutating func check() {
        diagnostics = problemsOfReading
        guard let written, !hasErrors else { return }
        var mode: EnvironmentMode?
        if case .environment(let wanted) = purpose { mode = wanted }
        let layer = purpose == .layer ? written.value["name"]?.text ?? "" : nil
        let stack = Blueprint.assemble(written, as: layer) { find($0) }
        missing = stack.missing
        let checked = Blueprint.check(stack, mode: mode, isLayer: purpose == .layer, unbuilt: unbuilt)
        self.checked = checked
        diagnostics += checked.diagnostics
        if let spec = checked.spec {
            inputs = ReadInputs(
                of: spec, in: checked.composed, environment: Terminal.environment, known: Set(stack.files.keys),
                readsSecrets: purpose != .layer)
            diagnostics += inputs.diagnostics
        }
        diagnostics.sort()
    }

    // MARK: Layers

    private mutating func find(_ mention: LayerMention) -> LayerAnswer {
        switch mention {
        case .registered: return registered[mention] ?? .elsewhere
        case .file(let path, let owner?):
            // It came along with the layer that it belongs to.
            guard case .found(let layer) = registered.first(where: { $0.value.isRevision(of: owner, $0.key) })?.value,
                let text = layer.files[path]
            else {
                return .absent(
                    code: "missing_file", message: "the layer \(owner) did not bring \(path)",
                    hint: "apply it again: `microstax layer apply --file <file>`")
            }
            return .found(LayerText(bytes: Array(text.utf8)))
        case .file(let path, nil):
            if let answer = extended[path] { return answer }
            let answer: LayerAnswer
            do {
                answer = .found(LayerText(bytes: try InputFile.read(path)))
            } catch {
                answer = .absent(
                    code: "missing_file", message: "cannot read \(path): \(error.message)",
                    hint:
                        "a path is relative to the file that names it; a registered layer is named without ./ and ending"
                )
            }
            extended[path] = answer
            return answer
        }
    }

    /// Asks the server for the registered layers that it extends, and checks it with them. Does nothing where there are
    /// none, or errors already.
    mutating func fetchLayers(_ common: CommonOptions) async throws {
        guard !missing.isEmpty, !hasErrors else { return }
        let client = try common.client()
        // Each round finds at least one layer, and there is a limit to these.
        while !missing.isEmpty, !hasErrors {
            for mention in missing { registered[mention] = try await fetched(mention, client) }
            check()
        }
    }

    private func fetched(_ mention: LayerMention, _ client: APIClient) async throws -> LayerAnswer {
        do {
            let view = try await client.layer(mention.description)
            return .found(
                LayerText(
                    bytes: Array((view.blueprint ?? "").utf8), file: view.file, folder: view.folder,
                    revision: view.revision, files: view.files ?? [:]))
        } catch let failure as APIFailure where failure.code == .notFound {
            return .absent(code: "unknown_layer", message: failure.error.message, hint: failure.error.hint)
        }
    }

    // MARK: Results

    var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    /// `routing.baselineId`.
    var baseline: String? { (checked?.composed ?? written)?.value["routing"]?["baselineId"]?.text }

    /// Ends the command with every problem where there is an error.
    func requireValid(_ consequence: String) throws {
        guard hasErrors else { return }
        let count = diagnostics.count { $0.severity == .error }
        throw CommandFailure(
            .invalidInput, "\(name) has \(count == 1 ? "a problem" : "\(count) problems")\(consequence)",
            details: diagnostics.map { $0.rendered })
    }

    /// What it comes to, as YAML; `nil` where it cannot be read.
    func rendered(showsProvenance: Bool) -> String? {
        checked?.rendered(in: folder, showsProvenance: showsProvenance)
    }

    func request(mode: String?, parent: String?) -> CreateRequest {
        CreateRequest(
            blueprint: String(decoding: bytes, as: UTF8.self), file: name, folder: folder, files: files,
            secrets: inputs.secrets, mode: mode, parent: parent)
    }

    func layerRequest(dryRun: Bool) -> LayerRequest {
        LayerRequest(
            blueprint: String(decoding: bytes, as: UTF8.self), file: name, folder: folder, files: files, dryRun: dryRun)
    }

    /// Contents of the files that it names, by absolute path.
    private var files: [String: String] {
        var files = inputs.files
        for (path, answer) in extended {
            if case .found(let text) = answer { files[path] = String(decoding: text.bytes, as: UTF8.self) }
        }
        return files
    }
}

extension LayerAnswer {
    fileprivate func isRevision(of owner: SourceOrigin, _ mention: LayerMention) -> Bool {
        guard case .registered(let name, _) = mention, case .found(let text) = self else { return false }
        return name == owner.name && text.revision == owner.revision
    }
}

extension Diagnostic {
    /// In the API's form.
    var detail: ErrorDetail {
        ErrorDetail(
            message: message, code: code, severity: severity.rawValue, file: file, line: line, column: column,
            hint: hint)
    }
}
