# The native module for CocoaPods: cpp/ and ios/ are compiled with the app's React Native; the engine comes compiled, as an
# XCFramework, or is built from source if the app's ios/Podfile.properties.json says so (docs/building.md):
#
#   "omniiSync.buildFromSource": "true"   or OMNII_SYNC_BUILD_FROM_SOURCE=1
#   "omniiSync.sqlcipher": "true"         SQLCipher in place of plain SQLite; from source
#   "omniiSync.fts5": "false"             SQLite without FTS5; from source
require 'json'

package = JSON.parse(File.read(File.join(__dir__, 'package.json')))

properties = begin
  JSON.parse(File.read(File.join(Pod::Config.instance.installation_root.to_s, 'Podfile.properties.json')))
rescue StandardError
  {}
end
# 'true', 'false', or '' if the app does not say.
setting = lambda do |name|
  value = properties["omniiSync.#{name}"].to_s
  next value if ['', 'true', 'false'].include?(value)
  raise "@omnii/sync: \"omniiSync.#{name}\" in ios/Podfile.properties.json must be \"true\" or \"false\", not \"#{value}\""
end
switches = []
switches << '--sqlcipher' if setting.call('sqlcipher') == 'true'
switches << '--no-fts5' if setting.call('fts5') == 'false'
if !switches.empty? && setting.call('buildFromSource') == 'false'
  raise '@omnii/sync: "omniiSync.sqlcipher": "true" and "omniiSync.fts5": "false" need a build from source, ' \
        'but ios/Podfile.properties.json has "omniiSync.buildFromSource": "false"'
end
from_source = !switches.empty? || setting.call('buildFromSource') == 'true' || !ENV['OMNII_SYNC_BUILD_FROM_SOURCE'].to_s.empty?

# CocoaPods takes nothing from outside of the package's folder. The compiled engine stays as it is, for the day the setting is
# taken back.
framework, bridge = from_source ? ['ios/build/OmniiSync.xcframework', 'ios/build/bridge'] : ['ios/OmniiSync.xcframework', 'cpp/bridge']
if from_source
  system('node', File.join(__dir__, 'scripts/phones/build-ios.mjs'), '--out', File.join(__dir__, 'ios/build'), *switches) ||
    raise('@omnii/sync: the engine could not be built, see above')
elsif !File.exist?(File.join(__dir__, framework))
  raise '@omnii/sync: there is no engine for iOS in the package. Set "omniiSync.buildFromSource": "true" in ' \
        'ios/Podfile.properties.json to build it; that needs Rust.'
end

Pod::Spec.new do |s|
  s.name = 'OmniiSync'
  s.version = package['version']
  s.summary = package['description']
  s.license = package['license']
  s.homepage = 'https://www.npmjs.com/package/@omnii/sync'
  s.author = 'omnii'
  s.platforms = min_supported_versions
  # CocoaPods wants one; the files are there already, in node_modules.
  s.source = { :path => '.' }

  s.source_files = 'ios/*.{h,mm}', 'cpp/*.{h,cpp}', "#{bridge}/**/*.h"
  # Nobody but this pod includes them, and Swift could not.
  s.private_header_files = 'ios/*.h', 'cpp/*.h', "#{bridge}/**/*.h"
  s.header_mappings_dir = '.'
  s.vendored_frameworks = framework
  # With use_frameworks! the pod is linked by itself, and has nothing of the app's.
  s.frameworks = 'CoreFoundation', 'Security', 'UIKit'
  s.pod_target_xcconfig = {
    'HEADER_SEARCH_PATHS' => %("$(PODS_TARGET_SRCROOT)/cpp" "$(PODS_TARGET_SRCROOT)/#{bridge}"),
  }

  install_modules_dependencies(s)
end
