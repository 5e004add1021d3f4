/** The form for a new entity or a changed one. It says what is missing instead of doing nothing. */
import { useState } from 'react';
import { StyleSheet, View } from 'react-native';
import { ENTITY_TYPES, type EntityDraft, TYPE_TITLES } from '../lib/sync/entities';
import { space } from '../theme/tokens';
import { Button } from './Button';
import { Chip } from './Chip';
import { Field } from './Field';
import { Notice } from './layout';
import { AppText } from './text';

interface EntityFormProps {
  initial: EntityDraft;
  saveTitle: string;
  /** `before` is what the form began with. Rejects with what went wrong; the form stays as it is then. */
  onSave: (draft: EntityDraft, before: EntityDraft) => Promise<void>;
}

export function EntityForm({ initial, saveTitle, onSave }: EntityFormProps) {
  // The row may change under the form: what was edited is told from what the form showed first.
  const [before] = useState(initial);
  const [draft, setDraft] = useState(before);
  const [problem, setProblem] = useState<string | null>(null);
  const [isSaving, setSaving] = useState(false);

  const save = async (): Promise<void> => {
    if (draft.name.trim() === '') {
      setProblem('Give it a name.');
      return;
    }
    setSaving(true);
    try {
      await onSave(draft, before);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setSaving(false);
    }
  };

  return (
    <View style={styles.form}>
      <Field
        label="Name"
        testID="entity-name"
        value={draft.name}
        placeholder="What is it called?"
        autoFocus={initial.name === ''}
        returnKeyType="done"
        onChangeText={(name) => setDraft((now) => ({ ...now, name }))}
      />
      <View style={styles.group} accessibilityRole="radiogroup" accessibilityLabel="Type">
        <AppText kind="small" tone="muted">
          Type
        </AppText>
        <View style={styles.chips}>
          {ENTITY_TYPES.map((type) => (
            <Chip
              key={type}
              title={TYPE_TITLES[type]}
              selected={draft.type === type}
              testID={`entity-type-${type}`}
              onPress={() => setDraft((now) => ({ ...now, type }))}
            />
          ))}
        </View>
      </View>
      <Field
        label="Notes"
        testID="entity-notes"
        value={draft.notes}
        multiline
        style={styles.notes}
        onChangeText={(notes) => setDraft((now) => ({ ...now, notes }))}
      />
      {problem !== null && <Notice tone="danger" title="Not saved" text={problem} testID="entity-problem" />}
      <Button title={saveTitle} kind="primary" testID="entity-save" disabled={isSaving} onPress={() => void save()} />
    </View>
  );
}

const styles = StyleSheet.create({
  form: { gap: space.xl },
  group: { gap: space.s },
  chips: { flexDirection: 'row', flexWrap: 'wrap', gap: space.s },
  notes: { minHeight: 112, textAlignVertical: 'top' },
});
