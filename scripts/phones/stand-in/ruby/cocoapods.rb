# Stands in for CocoaPods, which Debian does not have, as far as a podspec and React Native's own Ruby scripts ask it for
# something. A specification takes the attributes that CocoaPods knows, in the forms that CocoaPods takes, and no others: a name
# that is not here is an error, as it is there.
require 'json'
require 'pathname'

module Pod
  class Config
    attr_reader :installation_root

    def self.instance
      @instance ||= new
    end

    # The folder of the Podfile.
    def initialize
      @installation_root = Pathname.new(ENV.fetch('STAND_IN_INSTALLATION_ROOT'))
    end
  end

  module UI
    def self.puts(*) end
    def self.warn(*) end
  end

  class Specification
    TEXT = [String].freeze
    LIST = [String, Array].freeze
    HASH = [Hash].freeze
    FLAG = [TrueClass, FalseClass].freeze

    # Of the root specification and of one for a platform or target; name in a podspec => what it may be.
    ATTRIBUTES = {
      name: TEXT, version: TEXT, summary: TEXT, description: TEXT, homepage: TEXT, readme: TEXT, changelog: TEXT,
      documentation_url: TEXT, social_media_url: TEXT, screenshots: LIST, cocoapods_version: TEXT, prepare_command: TEXT,
      license: [String, Hash], authors: [String, Array, Hash], source: HASH, swift_versions: LIST,
      static_framework: FLAG, deprecated: FLAG, deprecated_in_favor_of: TEXT,
      platforms: HASH, platform: [Symbol, Array],
      info_plist: HASH, requires_arc: [TrueClass, FalseClass, String, Array], frameworks: LIST, weak_frameworks: LIST,
      libraries: LIST, compiler_flags: LIST, pod_target_xcconfig: HASH, user_target_xcconfig: HASH,
      prefix_header_contents: LIST, prefix_header_file: [String, FalseClass], module_name: TEXT, module_map: [String, FalseClass],
      header_dir: TEXT, header_mappings_dir: TEXT, script_phases: [Hash, Array],
      source_files: LIST, public_header_files: LIST, project_header_files: LIST, private_header_files: LIST,
      vendored_frameworks: LIST, vendored_libraries: LIST, resource_bundles: HASH, resources: LIST,
      exclude_files: LIST, preserve_paths: LIST, default_subspecs: LIST
    }.freeze
    # Those that have a singular, too.
    SINGULARS = {
      author: :authors, screenshot: :screenshots, swift_version: :swift_versions, framework: :frameworks,
      weak_framework: :weak_frameworks, library: :libraries, script_phase: :script_phases,
      vendored_framework: :vendored_frameworks, vendored_library: :vendored_libraries, resource_bundle: :resource_bundles,
      resource: :resources, preserve_path: :preserve_paths, default_subspec: :default_subspecs
    }.freeze
    REQUIRED = %w[name version summary license homepage authors source].freeze
    PATTERNS = %w[source_files public_header_files project_header_files private_header_files exclude_files
                  vendored_frameworks vendored_libraries preserve_paths resources].freeze

    class << self
      attr_reader :last
    end

    def initialize
      @attributes = {}
      yield self
      missing = REQUIRED.reject { |name| @attributes[name] }
      raise "the specification lacks #{missing.join(', ')}" unless missing.empty?

      Specification.instance_variable_set(:@last, self)
    end

    ATTRIBUTES.each do |name, kinds|
      define_method("#{name}=") do |value|
        raise "#{name} cannot be #{value.inspect}" unless kinds.any? { |kind| value.is_a?(kind) }

        @attributes[name.to_s] = value
      end
    end
    SINGULARS.each { |singular, plural| alias_method("#{singular}=", "#{plural}=") }

    def dependency(name, *versions)
      (@attributes['dependencies'] ||= {})[name] = versions
    end

    # React Native's scripts read what was set with this.
    def to_hash
      @attributes
    end

    # What each pattern means in this folder: Ruby's own glob, which CocoaPods uses as well.
    def files(folder)
      PATTERNS.to_h do |name|
        [name, Array(@attributes[name]).to_h { |pattern| [pattern, Dir.glob(pattern, base: folder).sort] }]
      end
    end
  end

  Spec = Specification

  def self.evaluate(path)
    # As CocoaPods does it: inside of this module, with the file's name, so that `__dir__` is its folder.
    eval(File.read(path), nil, path) # rubocop:disable Security/Eval
    Specification.last
  end
end
