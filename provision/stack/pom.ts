import type { ServerVersion } from './versions.ts';

/** A Maven project that has the named artifacts, and everything they need, copied into one folder. */
export function renderPom(server: ServerVersion, dependencyPlugin: string): string {
  const dependencies = server.jars.map((jar) => {
    const [group, artifact, version] = jar.split(':');
    return `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local.ericht</groupId><artifactId>stack</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>${dependencyPlugin}</version>
    <configuration><outputDirectory>\${project.basedir}/lib</outputDirectory><includeScope>runtime</includeScope></configuration>
  </plugin></plugins></build>
</project>
`;
}
