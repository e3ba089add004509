package cloakroom;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;

/**
 * Writes into each mirrored record where it stood in its own log. MirrorMaker gives it another offset in the copy, so the copy's offset says nothing
 * about the origin. The names are those of libs/contracts/src/topics.ts.
 */
public class OriginHeaders implements Transformation<SourceRecord> {
  static final String PARTITION = "log-partition";
  static final String OFFSET = "log-offset";

  @Override
  public SourceRecord apply(SourceRecord record) {
    Object partition = valueOf(record.sourcePartition(), "partition");
    Object offset = valueOf(record.sourceOffset(), "offset");
    // A heartbeat of MirrorMaker has no origin.
    if (partition == null || offset == null) return record;
    write(record, PARTITION, partition);
    write(record, OFFSET, offset);
    return record;
  }

  private static Object valueOf(Map<String, ?> map, String name) {
    return map == null ? null : map.get(name);
  }

  /** A record that was mirrored before names its first origin no longer. */
  private static void write(SourceRecord record, String name, Object value) {
    record.headers().remove(name);
    record.headers().addBytes(name, String.valueOf(value).getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public ConfigDef config() {
    return new ConfigDef();
  }

  @Override
  public void configure(Map<String, ?> configs) {}

  @Override
  public void close() {}
}
