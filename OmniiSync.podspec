# The native module for CocoaPods: cpp/ and ios/ are compiled with the app's React Native; the engine comes compiled, as an
# XCFramework, or is built from source if the app says so: `"omniiSync.buildFromSource": "true"` in ios/Podfile.properties.json,
# or OMNII_SYNC_BUILD_FROM_SOURCE=1.
require 'json'

package = JSON.parse(File.read(File.join(__dir__, 'package.json')))

properties = begin
  JSON.parse(File.read(File.join(Pod::Config.instance.installation_root.to_s, 'Podfile.properties.json')))
rescue StandardError
  {}
end
from_source = !ENV['OMNII_SYNC_BUILD_FROM_SOURCE'].to_s.empty? || properties['omniiSync.buildFromSource'].to_s == 'true'

if from_source
  system('node', File.join(__dir__, 'scripts/phones/build-ios.mjs')) || raise('@omnii/sync: the engine could not be built, see above')
elsif !File.exist?(File.join(__dir__, 'ios/OmniiSync.xcframework'))
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

  s.source_files = 'ios/*.{h,mm}', 'cpp/**/*.{h,cpp}'
  # Nobody but this pod includes them, and Swift could not.
  s.private_header_files = 'ios/*.h', 'cpp/**/*.h'
  s.header_mappings_dir = '.'
  s.vendored_frameworks = 'ios/OmniiSync.xcframework'
  s.frameworks = 'Security', 'SystemConfiguration'
  s.pod_target_xcconfig = {
    'HEADER_SEARCH_PATHS' => '"$(PODS_TARGET_SRCROOT)/cpp" "$(PODS_TARGET_SRCROOT)/cpp/bridge"',
  }

  install_modules_dependencies(s)
end
