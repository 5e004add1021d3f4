// Runs android/build.gradle as Gradle does, on stand-ins that have what it uses of Gradle and of the Android plugin, with the types
// that these have there, and nothing else: any other name ends it. Prints what was set, as JSON.
//
//   groovy EvaluateBuild.groovy <build.gradle> [<name>=<number> of the app's root project]…

import groovy.json.JsonOutput
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.customizers.ImportCustomizer

/** Of org.gradle.api. */
enum JavaVersion { VERSION_11, VERSION_17, VERSION_21 }

class DefaultConfig {
  Integer minSdk
}

class CompileOptions {
  JavaVersion sourceCompatibility
  JavaVersion targetCompatibility
}

class Android {
  String namespace
  Integer compileSdk
  private final DefaultConfig defaultConfig = new DefaultConfig()
  private final CompileOptions compileOptions = new CompileOptions()

  void defaultConfig(Closure block) { BuildScript.inside(defaultConfig, block) }
  void compileOptions(Closure block) { BuildScript.inside(compileOptions, block) }

  Map told() {
    [namespace: namespace, compileSdk: compileSdk, minSdk: defaultConfig.minSdk,
     java: [compileOptions.sourceCompatibility, compileOptions.targetCompatibility]*.toString()]
  }
}

class Dependencies {
  final List<String> implementations = []

  void implementation(String coordinates) { implementations << coordinates }
}

class ExtraProperties {
  Map<String, Object> values

  boolean has(String name) { values.containsKey(name) }
  Object get(String name) { values.get(name) }
}

class RootProject {
  final ExtraProperties ext = new ExtraProperties()
}

abstract class BuildScript extends Script {
  static final PLUGINS = ['com.android.library', 'com.facebook.react']
  static final RootProject ROOT = new RootProject()
  final List<String> applied = []
  final Android androidBlock = new Android()
  final Dependencies dependenciesBlock = new Dependencies()

  RootProject getRootProject() { ROOT }

  void apply(Map<String, String> what) {
    if (what.keySet() != ['plugin'] as Set || !(what.plugin in PLUGINS)) throw new IllegalArgumentException("apply $what")
    applied << what.plugin
  }

  void android(Closure block) {
    // Made by the plugin.
    if (!('com.android.library' in applied)) throw new IllegalStateException('android {} before the plugin')
    inside(androidBlock, block)
  }

  void dependencies(Closure block) { inside(dependenciesBlock, block) }

  // A script would make a variable of any name that is assigned to.
  @Override
  void setProperty(String name, Object value) { throw new MissingPropertyException(name, getClass()) }

  static void inside(Object delegate, Closure block) {
    block.delegate = delegate
    block.resolveStrategy = Closure.DELEGATE_FIRST
    block.call()
  }
}

BuildScript.ROOT.ext.values = args.drop(1).collectEntries { String given ->
  def (name, number) = given.split('=')
  [(name): number as Integer]
}
def configuration = new CompilerConfiguration(scriptBaseClass: BuildScript.name)
configuration.addCompilationCustomizers(new ImportCustomizer().addImports(JavaVersion.name))
def script = new GroovyShell(getClass().classLoader, new Binding(), configuration).parse(new File(args[0]))
script.run()
println JsonOutput.toJson(script.androidBlock.told() + [applied: script.applied, implementations: script.dependenciesBlock.implementations])
